// A certified OpenID provider with a sign-in page of its own, for tests. What it knows stands in a file that is
// read anew for each question, so that a test can change people, or have it answer wrongly, while it runs:
//   {issuer, port, keys: JWKS, clients: [...],
//    people: {name: {sub, password, claims, disabled}},
//    away, misuse: {claims, key, away_at}}   // what its id tokens say wrongly, who signs them, which address fails
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, file] = process.argv.slice(2);
const installed = createRequire(join(folder, "package.json"));
const load = (name) => import(pathToFileURL(installed.resolve(name)).href);
const { Provider } = await load("oidc-provider");
const { decodeJwt, importJWK, SignJWT } = await load("jose");
const known = () => JSON.parse(readFileSync(file, "utf8"));
const start = known();

const bySubject = (sub) => Object.values(known().people).find((person) => person.sub === sub);

const provider = new Provider(start.issuer, {
  clients: start.clients,
  jwks: start.keys,
  cookies: { keys: ["only for tests"] },
  conformIdTokenClaims: false,
  claims: {
    openid: ["sub"],
    profile: ["name", "preferred_username", "updated_at"],
    email: ["email", "email_verified"],
    groups: ["groups"],
  },
  scopes: ["openid", "profile", "email", "groups", "offline_access"],
  features: {
    devInteractions: { enabled: false },
    revocation: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => {
        ctx.body = page("Sign out?", `${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`);
      },
      postLogoutSuccessSource: (ctx) => {
        ctx.body = page("Signed out", "");
      },
    },
  },
  pkce: { required: () => true },
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  ttl: { AccessToken: 60, AuthorizationCode: () => known().code_seconds ?? 60, IdToken: 300, RefreshToken: 86400, Session: 3600, Grant: 86400, Interaction: 600 },
  loadExistingGrant: async (ctx) => {
    // Everybody has agreed to everything: agreeing is not what is tested.
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email groups offline_access");
    await grant.save();
    return grant;
  },
  findAccount: async (_ctx, sub) => {
    const person = bySubject(sub);
    if (!person || person.disabled) return undefined;
    return { accountId: sub, claims: async () => ({ sub, ...person.claims }) };
  },
  renderError: async (ctx, out) => {
    ctx.body = page("The provider refuses", `<p id="error">${out.error}</p>`);
  },
});

function page(title, content) {
  return `<!doctype html><html lang="en"><title>${title}</title><h1>${title}</h1>${content}</html>`;
}

async function body(request) {
  let text = "";
  for await (const part of request) text += part;
  return new URLSearchParams(text);
}

provider.use((ctx, next) => {
  const { away, misuse } = known();
  if (!away && ctx.path !== misuse?.away_at) return next();
  ctx.status = 503;
  return undefined;
});

provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith("/interaction/")) return next();
  const details = await provider.interactionDetails(ctx.req, ctx.res);
  if (ctx.method === "POST") {
    const form = await body(ctx.req);
    const person = known().people[form.get("login")];
    const fits = person && !person.disabled && person.password === form.get("password");
    const result = form.get("cancel")
      ? { error: "access_denied", error_description: "The person said no." }
      : fits && { login: { accountId: person.sub } };
    if (result) {
      await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: false });
      ctx.respond = false;
      return undefined;
    }
  }
  ctx.body = page(
    "Company account",
    `<form method="post" action="/interaction/${details.uid}"><label>Login <input name="login"></label>
     <label>Password <input name="password" type="password"></label><button>Sign in</button>
     <button name="cancel" value="yes">Cancel</button></form>`,
  );
  return undefined;
});

provider.use(async (ctx, next) => {
  await next();
  const { misuse } = known();
  if (ctx.path !== "/token" || !(misuse?.claims || misuse?.key) || !ctx.body?.id_token) return;
  const said = { ...decodeJwt(ctx.body.id_token), ...(misuse.claims ?? {}) };
  const jwk = misuse.key ?? start.keys.keys[0];
  ctx.body.id_token = await new SignJWT(said)
    .setProtectedHeader({ alg: jwk.alg, kid: start.keys.keys[0].kid })
    .sign(await importJWK(jwk, jwk.alg));
});

provider.listen(start.port, "127.0.0.1", () => console.log("ready"));
