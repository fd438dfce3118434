// Makes one Alipay notice, lets Alipay's official SDK accept it, and posts it.
//
// node notify.mjs SANDBOX_JSON URL < fields.json
//
// SANDBOX_JSON holds the sandbox's keys. The fields of standard input are put over those of a payment that succeeded;
// out_trade_no and total_amount are needed. Prints {"status", "answer", "form"}. Ends with 2, sending nothing, when
// the SDK does not accept the notice: then the mistake is here and not with whoever would have received it.
import { createSign, randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { AlipaySdk } from "alipay-sdk";

const [credentialsFile, url] = process.argv.slice(2);
const { product, platform } = JSON.parse(readFileSync(credentialsFile, "utf8"));
const given = JSON.parse(readFileSync(0, "utf8"));

function beijing(date) {
  return new Date(date.getTime() + 8 * 3600_000).toISOString().slice(0, 19).replace("T", " ");
}

const now = beijing(new Date());
const digits = (count) => Array.from({ length: count }, () => randomInt(10)).join("");
const fields = {
  notify_time: now,
  notify_type: "trade_status_sync",
  notify_id: now.slice(0, 10).replaceAll("-", "") + digits(26),
  app_id: product.alipay.app_id,
  auth_app_id: product.alipay.app_id,
  charset: "utf-8",
  version: "1.0",
  trade_no: now.slice(0, 10).replaceAll("-", "") + digits(20),
  seller_id: product.alipay.seller_id,
  buyer_id: "2088009900000001",
  trade_status: "TRADE_SUCCESS",
  subject: "互操作测试 100% & +",
  gmt_create: now,
  gmt_payment: now,
  receipt_amount: given.total_amount,
  buyer_pay_amount: given.total_amount,
  fund_bill_list: JSON.stringify([{ amount: given.total_amount, fundChannel: "ALIPAYACCOUNT" }]),
  ...given,
};
const content = Object.keys(fields)
  .filter((key) => fields[key] !== "")
  .sort()
  .map((key) => `${key}=${fields[key]}`)
  .join("&");
const sign = createSign("RSA-SHA256").update(content, "utf8").sign(platform.alipay_private_key, "base64");
const form = { ...fields, sign_type: "RSA2", sign };

const sdk = new AlipaySdk({
  appId: product.alipay.app_id,
  privateKey: product.alipay.app_private_key,
  alipayPublicKey: product.alipay.alipay_public_key,
});
if (!sdk.checkNotifySignV2(form)) {
  console.error("the SDK does not accept the notice");
  process.exit(2);
}
const response = await fetch(url, { method: "POST", body: new URLSearchParams(form), redirect: "manual" });
console.log(JSON.stringify({ status: response.status, answer: await response.text(), form }));
