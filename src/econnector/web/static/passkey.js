// Passkeys: a form that carries the options gets the browser's answer put into its `passkey` field, then is sent.
// Without this file, or where the browser has no passkeys, a code does the same.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const able = window.PublicKeyCredential && PublicKeyCredential.parseRequestOptionsFromJSON;
  const creates = form.dataset.passkey === "create";
  if (able) form.hidden = false;
  // In the capture phase: before what marks a form as sent.
  form.addEventListener("submit", async (event) => {
    const answer = form.elements.namedItem("passkey");
    if (!able || answer.value) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const failed = form.querySelector("[data-failed]");
    failed.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const made = creates
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      answer.value = JSON.stringify(made.toJSON());
    } catch {
      failed.hidden = false; // cancelled, too late, or none that fits: which of them is nobody's business
      return;
    }
    form.requestSubmit();
  }, true);
}
addEventListener("pageshow", () => {
  for (const answer of document.querySelectorAll("form[data-passkey] [name=passkey]")) answer.value = "";
});
