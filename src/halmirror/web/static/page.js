// What pages do better with scripts: copy a citation, change its style in place.
"use strict";
(() => {
  const status = document.getElementById("copy-status");
  const say = (text) => {
    if (!status) return;
    status.textContent = "";
    setTimeout(() => { status.textContent = text; }, 50);
  };
  const copyText = async (text) => {
    if (navigator.clipboard && window.isSecureContext) {
      await navigator.clipboard.writeText(text);
      return;
    }
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    if (!done) throw new Error("copying was refused");
  };
  for (const button of document.querySelectorAll("[data-copy]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      try {
        await copyText(document.getElementById(button.dataset.copy).textContent.trim());
      } catch {
        return;
      }
      button.textContent = button.dataset.copied;
      say(button.dataset.copied);
      button.focus();
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }
  for (const select of document.querySelectorAll("select[data-citation]")) {
    const submit = select.form.querySelector("[data-noscript]");
    if (submit) submit.hidden = true;
    select.addEventListener("change", async () => {
      const address = `${select.dataset.citation}&style=${encodeURIComponent(select.value)}`;
      const answer = await fetch(address).catch(() => null);
      if (!answer || !answer.ok) {
        select.form.submit();
        return;
      }
      document.getElementById("citation").textContent = (await answer.text()).trim();
    });
  }
})();
