// The page of the local stack: picks a caller, shows the token, and keeps Swagger UI signed in with it.
"use strict";

const byId = (id) => document.getElementById(id);
let documentation = null;
let scheme = null;
let token = null;

function signIn() {
  if (documentation && scheme && token) documentation.preauthorizeApiKey(scheme, token);
}

async function choose(caller) {
  for (const button of byId("callers").children) {
    button.setAttribute("aria-checked", String(button.dataset.who === caller.who));
  }
  byId("problem").hidden = true;
  byId("token").value = "fetching …";
  const path = caller.who === "system" ? "/v1/program" : "/v1/members/me/account";
  byId("curl").value = `curl -s -H "Authorization: Bearer $(curl -s ${location.origin}/tokens/${caller.who})" ${location.origin}${path}`;
  const answer = await fetch(`/tokens/${encodeURIComponent(caller.who)}`);
  const text = await answer.text();
  if (!answer.ok) {
    byId("token").value = "";
    byId("problem").textContent = text;
    byId("problem").hidden = false;
    return;
  }
  token = text;
  byId("token").value = token;
  signIn();
}

function showCallers(members) {
  const callers = [{ who: "system", title: "Shop system", detail: "every scope" }].concat(
    members.map((member) => ({
      who: member.id,
      title: `Member ${member.id.slice(0, 10)}…`,
      detail: `${member.available.toLocaleString("en")} points · ${member.tier} · ${member.purchases} purchases`,
    })),
  );
  for (const caller of callers) {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.who = caller.who;
    button.setAttribute("role", "radio");
    const title = document.createElement("strong");
    title.textContent = caller.title;
    const detail = document.createElement("span");
    detail.textContent = caller.detail;
    button.append(title, detail);
    button.addEventListener("click", () => choose(caller));
    byId("callers").append(button);
  }
  return choose(callers[0]);
}

function showPlaces(overview) {
  const outputs = overview.outputs;
  const places = {
    API: `${location.origin}/v1`,
    OpenAPI: `${location.origin}/openapi.json`,
    "Local AWS": overview.endpoint,
    "API Gateway": outputs.RestAPIId,
    "User pool": outputs.UserPoolId,
    "Intake queue": outputs.IntakeQueueUrl,
    "Failed orders": outputs.IntakeFailuresUrl,
    Tables: ["Ledger", "Accounts", "Members", "Orders", "Redemptions", "Programs"]
      .map((name) => outputs[`${name}TableName`]).join(", "),
  };
  byId("survey").href = `/surveys/${overview.survey}`;
  for (const [name, place] of Object.entries(places)) {
    const term = document.createElement("dt");
    term.textContent = name;
    const value = document.createElement("dd");
    value.textContent = place;
    byId("places").append(term, value);
  }
}

async function showDocumentation() {
  const specification = await (await fetch("/openapi.json")).json();
  scheme = Object.keys(specification.components?.securitySchemes ?? {})[0] ?? null;
  documentation = SwaggerUIBundle({
    spec: specification,
    dom_id: "#documentation",
    // Nothing remote: Swagger's validator would be asked about a document that is on this machine.
    validatorUrl: null,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    onComplete: signIn,
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(byId(button.dataset.copy).value);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
}

(async () => {
  const overview = await (await fetch("/overview.json")).json();
  showPlaces(overview);
  await showDocumentation();
  await showCallers(overview.members);
})();
