// Calls the sandbox's Alipay through Alipay's official SDK, and lets the SDK verify what the sandbox signed.
//
// node alipay_calls.mjs < {"credentials", "gateway", "act", ...}, act one of
//   exec   {method, content, common?}  the answer; {"error"} when the SDK refuses it
//   app    {content}                   {"order_string"}
//   page   {method, content}           {"url"} to open the cashier with
//   verify {form}                      {"genuine"}
import { readFileSync } from "node:fs";
import { AlipaySdk } from "alipay-sdk";

const given = JSON.parse(readFileSync(0, "utf8"));
const sdk = new AlipaySdk({
  appId: given.credentials.app_id,
  privateKey: given.credentials.app_private_key,
  alipayPublicKey: given.credentials.alipay_public_key,
  gateway: given.gateway,
  camelcase: false,
});

const acts = {
  async exec() {
    try {
      const content = given.content && { bizContent: given.content };
      return await sdk.exec(given.method, { ...content, ...given.common }, { validateSign: true });
    } catch (error) {
      return { error: String(error.message) };
    }
  },
  app() {
    return { order_string: sdk.sdkExecute("alipay.trade.app.pay", { bizContent: given.content, ...given.common }) };
  },
  page() {
    return { url: sdk.pageExecute(given.method, "GET", { bizContent: given.content, ...given.common }) };
  },
  verify() {
    return { genuine: sdk.checkNotifySignV2(given.form) };
  },
};
console.log(JSON.stringify(await acts[given.act]()));
