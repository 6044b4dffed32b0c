// Makes pages nicer; every page works without it.
"use strict";

// Show what is typed into a password field.
for (const button of document.querySelectorAll(".show-password")) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", () => {
    const show = input.type === "password";
    input.type = show ? "text" : "password";
    button.textContent = show ? button.dataset.hide : button.dataset.show;
    button.setAttribute("aria-label", show ? button.dataset.hideFull : button.dataset.showFull);
  });
}

// A moment in the reader's own time.
for (const time of document.querySelectorAll("time[data-local]")) {
  time.textContent = new Date(time.dateTime).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// A form is sent once; a page that comes back from the cache, or that nobody answers, may send it again: the same form
// is the same ask, however often it comes.
const UNANSWERED = 20_000;
const release = (form) => {
  delete form.dataset.sent;
  const button = form.querySelector("button[data-busy]");
  if (button && button.dataset.label) {
    button.textContent = button.dataset.label;
    button.removeAttribute("aria-disabled");
  }
};
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    const offline = form.querySelector("[data-offline]");
    if (offline) offline.hidden = navigator.onLine;
    if (form.dataset.sent || !navigator.onLine) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(release, UNANSWERED, form);
    // A browser remembers what was typed into a text field, so a shown password is hidden again first.
    for (const input of form.querySelectorAll("input[autocomplete$=password]")) input.type = "password";
    const button = form.querySelector("button[data-busy]");
    if (button) {
      button.dataset.label = button.textContent;
      button.textContent = button.dataset.busy;
      button.setAttribute("aria-disabled", "true");
    }
  });
}
addEventListener("pageshow", (event) => {
  // Out of a browser's memory: whoever signed out meanwhile must not see it again with the Back key.
  if (event.persisted && document.getElementById("timeout")) location.reload();
  for (const form of document.querySelectorAll("form[data-sent]")) release(form);
});

// A menu closes when something else is chosen.
addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.switch[open]")) if (!menu.contains(event.target)) menu.open = false;
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.switch[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Warn before the session ends (WCAG 2.2.1). Other tabs of the same office that are used count, too.
const warning = document.getElementById("timeout");
if (warning) {
  const lead = Number(warning.dataset.lead);
  const text = warning.querySelector("[data-template]");
  const others = new BroadcastChannel(`used ${warning.dataset.office}`);
  const dirty = () => [...document.querySelectorAll("main :is(input, textarea)")].some((input) => input.type !== "hidden" && input.value !== input.defaultValue);
  let ends = 0;
  const live = (seconds) => {
    ends = Date.now() + 1000 * seconds;
    if (warning.open) warning.close();
  };
  const stay = async () => {
    const body = new URLSearchParams({ form_token: warning.dataset.token });
    try {
      const answer = await fetch(warning.dataset.stay, { method: "POST", body, headers: { accept: "application/json" } });
      if ([401, 403].includes(answer.status)) ends = 0; // this page's session is over, whatever another tab has
      if (!answer.ok) return;
      const { seconds } = await answer.json();
      live(seconds);
      others.postMessage(seconds);
    } catch { /* the office is away: the countdown goes on, the next try may work */ }
  };
  const over = () => {
    if (!dirty()) {
      location.replace(warning.dataset.ended);
      return;
    }
    clearInterval(timer);
    warning.querySelector("[data-before]").hidden = true;
    warning.querySelector("[data-after]").hidden = false;
    warning.classList.add("covering");
    if (!warning.open) warning.showModal();
  };
  others.addEventListener("message", (event) => live(event.data));
  warning.querySelector("[data-do=stay]").addEventListener("click", stay);
  warning.querySelector("[data-do=back]").addEventListener("click", () => warning.close());
  warning.addEventListener("cancel", (event) => {
    event.preventDefault();
    if (!warning.classList.contains("covering")) stay();
  });
  const timer = setInterval(() => {
    const left = Math.round((ends - Date.now()) / 1000);
    if (left <= 0) over();
    else if (left <= lead) {
      text.textContent = text.dataset.template.replace("{seconds}", left);
      if (!warning.open) warning.showModal();
    }
  }, 1000);
  live(Number(warning.dataset.seconds));
  others.postMessage(Number(warning.dataset.seconds));
}

// A site that can be installed says so by its manifest, which names the worker that explains when nothing can be reached.
const manifest = document.querySelector("link[rel=manifest][data-worker]");
if (manifest && "serviceWorker" in navigator) {
  // Where the browser refuses (a private window), everything but that explanation is as before.
  addEventListener("load", () => navigator.serviceWorker.register(manifest.dataset.worker, { updateViaCache: "all" }).catch(() => {}));
}

// In place of a page that could not be reached: it opens as soon as it can be.
const waiting = document.querySelector("[data-reach]");
if (waiting) {
  const again = async () => {
    try {
      const { ok } = await fetch(waiting.dataset.reach, { method: "HEAD", cache: "no-store" });
      if (ok) location.reload();
    } catch { /* not yet */ }
  };
  addEventListener("online", again);
  setInterval(again, 5_000);
}
