// Sends a form while it is filled in and shows what the server works out; without this script its button does the same.
let asked = 0;

async function show(form) {
  const mine = (asked += 1);
  const data = new FormData(form);
  const address = form.getAttribute("action");
  const isGet = form.getAttribute("method") === "get";
  if (isGet) data.delete("csrfmiddlewaretoken");
  const answer = isGet ? await fetch(`${address}?${new URLSearchParams(data)}`) : await fetch(address, { method: "POST", body: data });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (mine !== asked) return;
  for (const part of document.querySelectorAll("[data-part]")) {
    const now = page.getElementById(part.id);
    if (now && now.innerHTML !== part.innerHTML) part.replaceChildren(...now.childNodes);
  }
}

for (const form of document.querySelectorAll("form[data-live]")) {
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => show(form), 250);
  });
}
