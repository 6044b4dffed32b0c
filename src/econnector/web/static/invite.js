// An invite's link has its code behind the #, which browsers send to nobody: it goes into its field, and out of the
// address, so that no history keeps it. Without this file the code is typed as the e-mail has it.
"use strict";

const take = () => {
  const field = document.querySelector("[data-invite] [name=code]");
  const code = location.hash.slice(1);
  if (!field || !/^[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}$/.test(code)) return;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
};
addEventListener("hashchange", take);
take();
