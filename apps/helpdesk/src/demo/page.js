// The client of the demo page. All text from the service is shown with `textContent`.
"use strict";

const $ = (id) => document.getElementById(id);
let token = null;
let socket = null;
let ticket = null;
let last = null;
let shown = Promise.resolve();
let typingTimer = null;
const RETRY = 1000;

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  const json = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(json.detail || json.title);
  return json;
}

function item(list, text, action) {
  const line = document.createElement("li");
  if (action) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", action);
    line.append(button);
  } else {
    line.textContent = text;
  }
  list.append(line);
  return line;
}

async function list() {
  const page = await call("GET", "/v1/tickets?sort=-updated_at");
  $("tickets").replaceChildren();
  for (const one of page.items) {
    item($("tickets"), `${one.subject} (${one.status})`, () => open(one.id).catch(fail));
  }
}

function send(message) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

async function open(id) {
  if (ticket) send({ type: "unsubscribe", topic: `ticket:${ticket}` });
  ticket = id;
  last = null;
  // First the events, then the state: nothing between the two is missed.
  send({ type: "subscribe", topic: `ticket:${id}` });
  shown = show();
  await shown;
}

async function show() {
  const [one, comments] = await Promise.all([
    call("GET", `/v1/tickets/${ticket}`),
    call("GET", `/v1/tickets/${ticket}/comments`),
  ]);
  $("ticket").hidden = false;
  $("title").textContent = `${one.subject} (${one.status})`;
  $("comments").replaceChildren();
  comments.items.forEach(add);
}

/** Adds a comment once, whether it came in the list or as an event. */
function add(comment) {
  const known = [...$("comments").children].some((line) => line.dataset.id === comment.id);
  if (!known) item($("comments"), `${comment.author.name}: ${comment.body}`).dataset.id = comment.id;
}

function receive(message) {
  if (message.type === "event") {
    list().catch(fail);
    if (message.topic !== `ticket:${ticket}`) return;
    last = message.id;
    if (message.event === "ticket.commented") {
      shown.then(() => add(message.data));
    } else {
      $("title").textContent = `${message.data.subject} (${message.data.status})`;
    }
  } else if (message.topic !== `ticket:${ticket}`) {
    // Of the queue, or of a ticket that was left.
  } else if (message.type === "presence") {
    $("present").textContent = `Watching now: ${message.users.length}`;
  } else if (message.type === "typing") {
    $("typing").textContent = "Another user is typing …";
    clearTimeout(typingTimer);
    typingTimer = setTimeout(() => ($("typing").textContent = ""), 2000);
  } else if (message.type === "error" && message.code === "events_missed") {
    shown = show();
    shown.catch(fail);
  }
}

async function connect() {
  const created = await call("POST", "/v1/live/tokens");
  const url = new URL("/v1/socket", location.href);
  url.protocol = url.protocol.replace("http", "ws");
  url.searchParams.set("token", created.token);
  socket = new WebSocket(url, "helpdesk.v1");
  socket.addEventListener("open", () => {
    $("state").textContent = "Connected.";
    // A customer may not have it, and gets an error that is not shown.
    send({ type: "subscribe", topic: "queue" });
    if (!ticket) return;
    send({ type: "subscribe", topic: `ticket:${ticket}`, ...(last && { after: last }) });
    // Without an event so far there is nothing to resume after.
    if (!last) shown = show();
  });
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => {
    const hint = /retry_ms=(\d+)/.exec(event.reason);
    $("state").textContent = `Disconnected (${event.code}).`;
    setTimeout(reconnect, hint ? Number(hint[1]) : RETRY);
  });
}

function reconnect() {
  connect().catch((error) => {
    fail(error);
    setTimeout(reconnect, RETRY);
  });
}

function fail(error) {
  $("state").textContent = error.message;
}

function submit(form, action) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    action().catch(fail);
  });
}

submit("login", async () => {
  const response = await fetch("/v1/auth/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ email: $("user").value, password: $("password").value }),
  });
  const json = await response.json();
  if (!response.ok) throw new Error(json.detail || json.title);
  token = json.access_token;
  document.querySelector("main").hidden = false;
  await list();
  await connect();
});

submit("create", async () => {
  const subject = $("subject").value;
  const created = await call("POST", "/v1/tickets", { subject, body: subject });
  $("subject").value = "";
  await list();
  await open(created.id);
});

submit("comment", async () => {
  await call("POST", `/v1/tickets/${ticket}/comments`, { body: $("body").value });
  $("body").value = "";
});

let typed = 0;
$("body").addEventListener("input", () => {
  if (Date.now() - typed > 1000) {
    typed = Date.now();
    send({ type: "typing", topic: `ticket:${ticket}` });
  }
});
