// The certified relying party `openid-client`, unchanged: discovery, code + PKCE, UserInfo, introspection, refresh, sign-out.
// Reads {issuer, clientId, clientSecret | privateKey, callback, after, cookie} from standard input, prints what it found.
import { readFileSync } from "node:fs";
import * as client from "openid-client";

const given = JSON.parse(readFileSync(0, "utf8"));

async function authentication() {
  if (!given.privateKey) return client.ClientSecretBasic(given.clientSecret);
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  return client.PrivateKeyJwt(await crypto.subtle.importKey("jwk", given.privateKey, algorithm, false, ["sign"]));
}

const config = await client.discovery(new URL(given.issuer), given.clientId, undefined, await authentication(), {
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const asked = client.buildAuthorizationUrl(config, {
  redirect_uri: given.callback,
  scope: "openid profile level offline_access",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  acr_values: "level2",
  max_age: "3600",
  state,
  nonce,
});
const visit = (url) => fetch(url, { redirect: "manual", headers: { cookie: given.cookie } });

const back = new URL((await visit(asked)).headers.get("location"));
const tokens = await client.authorizationCodeGrant(config, back, {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  maxAge: 3600,
  idTokenExpected: true,
});
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const introspected = await client.tokenIntrospection(config, tokens.access_token);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
await client.tokenRevocation(config, refreshed.access_token);
const revoked = await client.tokenIntrospection(config, refreshed.access_token);
const leave = client.buildEndSessionUrl(config, {
  id_token_hint: refreshed.id_token,
  post_logout_redirect_uri: given.after,
  state: "bye",
});
const left = (await visit(leave)).headers.get("location");
const afterwards = await client.tokenIntrospection(config, tokens.access_token);
const refused = await client
  .authorizationCodeGrant(config, back, { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce })
  .catch((fault) => fault.error);
process.stdout.write(
  JSON.stringify({
    claims,
    userinfo,
    introspected,
    refreshedClaims: refreshed.claims(),
    revoked,
    left,
    afterwards,
    refused,
  }),
);
