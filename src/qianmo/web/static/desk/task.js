// Shows how far a task is, and loads the page again when it has ended.
const box = document.getElementById("task-progress");

async function look() {
  try {
    const answer = await fetch(box.dataset.url, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const now = await answer.json();
    if (!["queued", "running"].includes(now.state)) {
      location.reload();
      return;
    }
    document.getElementById("task-bar").value = now.share;
    document.getElementById("task-step").textContent = now.step;
    document.getElementById("task-left").textContent = now.seconds_left === null ? "" : box.dataset.left.replace("%s", String(Math.ceil(now.seconds_left)));
  } finally {
    setTimeout(look, 1000);
  }
}

if (box) setTimeout(look, 1000);
