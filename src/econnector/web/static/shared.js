// The mail's link has its key behind the #, which browsers send to nobody: it goes into its field, which need not be
// seen then, and out of the address, so that no history keeps it. Without this file the key is typed.
"use strict";

const take = () => {
  const field = document.querySelector("[data-shared] [name=link]");
  const key = location.hash.slice(1);
  if (!field || !/^[0-9A-Fa-f]{32}$/.test(key)) return;
  field.value = key;
  const whole = field.closest(".field");
  if (whole) whole.hidden = true;
  history.replaceState(null, "", location.pathname + location.search);
};
addEventListener("hashchange", take);
take();
