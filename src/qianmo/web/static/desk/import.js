// Files dropped on the sheet or chosen in the field are sent with their progress shown; without this script the form works as it is.
const sheet = document.getElementById("upload");
const field = document.getElementById("files");
const fault = document.getElementById("upload-fault");

function say(lines) {
  fault.replaceChildren();
  if (!lines.length) return;
  const box = document.createElement("div");
  box.className = "fault";
  for (const line of lines) {
    const row = document.createElement("p");
    row.textContent = line;
    box.append(row);
  }
  fault.append(box);
}

function show() {
  const rows = [...field.files].map((file) => {
    const row = document.createElement("li");
    row.textContent = `${file.name} (${(file.size / 1048576).toFixed(2)} MB)`;
    return row;
  });
  document.getElementById("chosen").replaceChildren(...rows);
  const total = [...field.files].reduce((sum, file) => sum + file.size, 0) / 1048576;
  const limit = Number(sheet.dataset.limitMb);
  say(total > limit ? [sheet.dataset.tooLarge.replace("%s", String(limit))] : []);
  return total <= limit;
}

function send() {
  const request = new XMLHttpRequest();
  const sending = document.getElementById("sending");
  const button = sheet.querySelector("button.strong");
  request.open("POST", sheet.action || location.href);
  request.setRequestHeader("Accept", "application/json");
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) document.getElementById("sent").value = event.loaded / event.total;
  });
  const end = (lines) => {
    sending.hidden = true;
    button.disabled = false;
    say(lines);
  };
  request.addEventListener("error", () => end([sheet.dataset.broken]));
  request.addEventListener("load", () => {
    let answer = {};
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      answer = {};
    }
    if (request.status < 300 && answer.next) location.assign(answer.next);
    else end(answer.error ? [answer.error.found, answer.error.expected, answer.error.cure, answer.error.id].filter(Boolean) : [sheet.dataset.broken]);
  });
  sending.hidden = false;
  button.disabled = true;
  request.send(new FormData(sheet));
}

if (sheet) {
  field.addEventListener("change", show);
  sheet.addEventListener("dragover", (event) => {
    event.preventDefault();
    sheet.classList.add("over");
  });
  sheet.addEventListener("dragleave", () => sheet.classList.remove("over"));
  sheet.addEventListener("drop", (event) => {
    event.preventDefault();
    sheet.classList.remove("over");
    if (!event.dataTransfer.files.length) return;
    field.files = event.dataTransfer.files;
    if (show()) send();
  });
  sheet.addEventListener("submit", (event) => {
    event.preventDefault();
    if (show()) send();
  });
}
