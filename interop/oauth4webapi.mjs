// The certified relying party `oauth4webapi`, unchanged, as a public client: discovery, code + PKCE, signatures checked,
// UserInfo, refresh, sign-out. Reads {issuer, clientId, callback, after, cookie} from standard input, prints what it found.
import { readFileSync } from "node:fs";
import * as oauth from "oauth4webapi";

const given = JSON.parse(readFileSync(0, "utf8"));
const insecure = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(given.issuer);
const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
const client = { client_id: given.clientId };
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const asked = new URL(server.authorization_endpoint);
asked.search = new URLSearchParams({
  client_id: given.clientId,
  redirect_uri: given.callback,
  response_type: "code",
  scope: "openid profile level offline_access",
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const visit = (url) => fetch(url, { redirect: "manual", headers: { cookie: given.cookie } });

const back = new URL((await visit(asked)).headers.get("location"));
const params = oauth.validateAuthResponse(server, client, back, state);
const answer = await oauth.authorizationCodeGrantRequest(
  server, client, oauth.None(), params, given.callback, verifier, insecure,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, answer, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, answer, insecure);
const claims = oauth.getValidatedIdTokenClaims(tokens);
const userinfo = await oauth.processUserInfoResponse(
  server, client, claims.sub, await oauth.userInfoRequest(server, client, tokens.access_token, insecure),
);
const again = await oauth.refreshTokenGrantRequest(server, client, oauth.None(), tokens.refresh_token, insecure);
const refreshed = await oauth.processRefreshTokenResponse(server, client, again);
await oauth.validateApplicationLevelSignature(server, again, insecure);
const leave = new URL(server.end_session_endpoint);
leave.search = new URLSearchParams({
  id_token_hint: refreshed.id_token,
  post_logout_redirect_uri: given.after,
  state: "bye",
});
const left = (await visit(leave)).headers.get("location");
const dead = await oauth.userInfoRequest(server, client, refreshed.access_token, insecure);
process.stdout.write(
  JSON.stringify({
    claims,
    userinfo,
    refreshedClaims: oauth.getValidatedIdTokenClaims(refreshed),
    left,
    afterwards: dead.status,
  }),
);
