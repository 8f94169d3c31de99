"use strict";
(() => {
  const status = document.getElementById("status");
  const pause = document.getElementById("pause");
  const period = 2000;
  let paused = false;

  // Puts in what has changed, section by section: what is being read or held by the keyboard stays.
  const show = (page) => {
    for (const id of ["clock", "calls", "expiry", "anchors", "crls", "profiles", "roles", "subjects"]) {
      const have = document.getElementById(id);
      const want = page.getElementById(id);
      if (!have || !want || have.innerHTML === want.innerHTML) continue;
      const box = have.querySelector(".scroll");
      const focused = box !== null && document.activeElement === box;
      const left = box ? box.scrollLeft : 0;
      have.replaceWith(document.adoptNode(want));
      const fresh = want.querySelector(".scroll");
      if (fresh) fresh.scrollLeft = left;
      if (fresh && focused) fresh.focus({ preventScroll: true });
    }
  };

  const update = async () => {
    if (!paused && !document.hidden && document.getSelection().isCollapsed) {
      try {
        const answer = await fetch(location.pathname, { headers: { accept: "text/html" }, cache: "no-store" });
        if (!answer.ok) throw new Error(String(answer.status));
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (!paused) show(page);
        status.textContent = "";
      } catch {
        status.textContent = "The emulator does not answer.";
      }
    }
    setTimeout(update, period);
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.textContent = paused ? "Resume updates" : "Pause updates";
    status.textContent = paused ? "Updates are paused." : "";
  });
  setTimeout(update, period);
})();
