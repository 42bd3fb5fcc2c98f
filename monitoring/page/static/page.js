// Renews the part of the page that is marked for it. Without this script the page is whole, and is
// renewed by loading it again.
"use strict";
(() => {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  const EVERY_MS = 2000;
  let paused = false;

  const foot = document.querySelector("footer p");
  const button = document.createElement("button");
  button.type = "button";
  const said = document.createElement("span");
  const label = () => { button.textContent = paused ? "Go on updating" : "Stop updating"; };
  label();
  button.addEventListener("click", () => { paused = !paused; label(); });
  foot.append(" ", button, " ", said);

  // What somebody has reached by keyboard, opened or marked is left to them.
  const inUse = () => {
    const chosen = document.getSelection();
    return chosen && !chosen.isCollapsed && part.contains(chosen.anchorNode);
  };
  const put = (html) => {
    const links = [...part.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const href = at < 0 ? null : links[at].getAttribute("href");
    const top = window.scrollY;
    part.innerHTML = html;
    if (href !== null) {
      const again = [...part.querySelectorAll("a")].filter((one) => one.getAttribute("href") === href);
      (again[0] || document.getElementById("main")).focus({ preventScroll: true });
    }
    window.scrollTo(0, top);
  };
  const renew = async () => {
    if (!paused && !document.hidden && !inUse()) {
      try {
        const answer = await fetch(part.dataset.refresh, { signal: AbortSignal.timeout(10000) });
        const html = await answer.text();
        if (answer.ok || answer.status === 503) put(html);
        said.textContent = "";
        part.classList.remove("old");
      } catch {
        said.textContent = "This page's server does not answer; the numbers are no longer renewed.";
        part.classList.add("old");
      }
    }
    setTimeout(renew, EVERY_MS);
  };
  setTimeout(renew, EVERY_MS);
})();
