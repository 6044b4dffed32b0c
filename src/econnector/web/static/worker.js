// Shows a page of ours where none can be fetched. Keeps what every page shares and that page, never anything of a
// patient's. `KEPT` stands before this text: `name` and `version` of what is kept, `files` (addresses), and which of
// them tells that the device is `offline`, which that the site is `away`.
"use strict";

const NAME = `${KEPT.name} ${KEPT.version}`;
const GATEWAY = [502, 503, 504];

addEventListener("install", (event) => {
  skipWaiting(); // addresses name their content: an old page that asks for an old file still gets one
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll(KEPT.files.map((file) => new Request(file, { cache: "no-cache" })))));
});
addEventListener("activate", (event) => {
  const outdated = (name) => name.startsWith(`${KEPT.name} `) && name !== NAME;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(outdated).map((name) => caches.delete(name)))));
});

const kept = async (what) => (await caches.open(NAME)).match(what);
const explained = () => kept(navigator.onLine ? KEPT.away : KEPT.offline);
// What is kept stands in for what cannot be fetched, and never comes before it: a page and its files stay of one update.
const reach = async (request, instead) => {
  const otherwise = async () => (await instead(request)) ?? Response.error();
  try {
    const answer = await fetch(request);
    // What stands before the site (a proxy) answers in its place when it is away. Our own pages carry a reference.
    return GATEWAY.includes(answer.status) && !answer.headers.has("x-reference") ? await otherwise() : answer;
  } catch {
    return otherwise();
  }
};
addEventListener("fetch", (event) => {
  const { request } = event;
  // A form that could not be sent is left to the browser: it still has what was typed, and offers to send it again.
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(reach(request, explained));
  else if (KEPT.files.includes(new URL(request.url).pathname)) event.respondWith(reach(request, kept));
});
