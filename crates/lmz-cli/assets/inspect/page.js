// Puts the parts together: the head of the page, the card, the tool bar, keys and the address.

const card = document.getElementById("card");
const status = document.getElementById("status");
let pinned = false;

function fillHead() {
  const member = summary.members[summary.members.length - 1];
  const percent = (part) => summary.file_bytes ? (100 * part / summary.file_bytes).toFixed(part < summary.file_bytes / 100 ? 2 : 1) + " %" : "–";
  const about = document.getElementById("about");
  about.textContent = `${member.model} (id ${member.model_id.slice(0, 16)}) · context ${number(member.context)} tokens, overlap ${
    number(member.overlap)} · lmz ${facts.version}${summary.was_compressed ? "" : " · compressed for this page"}`;
  const symbols = summary.tokens + summary.escapes;
  const tiles = [
    ["raw", number(summary.raw_bytes), "bytes"],
    ["compressed", number(summary.file_bytes), `bytes, ${summary.raw_bytes ? (100 * summary.file_bytes / summary.raw_bytes).toFixed(1) + " %" : "–"}`],
    ["on disk", summary.bits_per_byte?.toFixed(3) ?? "–", "bits per byte"],
    ["tokens", number(summary.tokens), summary.tokens ? `${(summary.token_bytes / symbols).toFixed(2)} bytes each` : "none"],
    ["a token costs", symbols ? (summary.token_bits / symbols).toFixed(3) : "–", "bits on average"],
    ["escapes", number(summary.escapes), "bytes that no token spells"],
  ];
  document.getElementById("tiles").innerHTML = tiles.map(([name, value, unit]) =>
    `<div><dt>${name}</dt><dd>${value} <small>${unit}</small></dd></div>`).join("");
  const c = summary.container;
  const parts = [["by the model", summary.model.coded_bytes], ["mixed", summary.mixed.coded_bytes], ["zstd", summary.zstd.coded_bytes], ["stored", summary.stored.coded_bytes],
    ["header", c.header], ["segment headers", c.records], ["index", c.index], ["footer, end byte", c.footer]];
  const shown = parts.map(([name, bytes], n) => ({ name, bytes, n })).filter((part) => part.bytes);
  const bar = document.getElementById("parts");
  bar.innerHTML = shown.map((part) => `<span class="k${part.n}"></span>`).join("");
  shown.forEach((part, n) => bar.children[n].style.flex = `${part.bytes} 0 0`);
  bar.setAttribute("aria-label", "Bytes on disk by part");
  document.getElementById("parts-key").innerHTML = shown.map((part) =>
    `<li><i class="k${part.n}"></i>${part.name} ${number(part.bytes)} (${percent(part.bytes)})</li>`).join("");
}

function fillLegend() {
  const ends = classEnds(), legend = document.getElementById("legend");
  legend.innerHTML = [0, ...ends].map((from, n) =>
    `<button type="button" data-n="${n}" aria-pressed="false" title="${n < ends.length ? `${from} to ${ends[n]} bits` : `${from} bits or more`}"><i class="b${n}"></i>${
      n === ends.length ? from + "+" : from}</button>`).join("");
  delete main.dataset.only;
}

/** Shows the card of a unit beside it. */
function showCard(unit) {
  card.innerHTML = describe(unit);
  for (const bar of card.querySelectorAll("[data-share]")) bar.style.width = bar.dataset.share + "%";
  card.hidden = false;
  card.classList.toggle("pinned", pinned);
  card.dataset.unit = unit;
  const box = elementOf(unit)?.getClientRects()[0];
  if (!box) return;
  const { width, height } = card.getBoundingClientRect();
  const below = box.bottom + 8 + height < window.innerHeight;
  card.style.left = Math.max(8, Math.min(box.left, window.innerWidth - width - 8)) + "px";
  card.style.top = (below ? box.bottom + 8 : Math.max(8, box.top - height - 8)) + "px";
}

function hideCard() {
  card.hidden = true;
  pinned = false;
  select(-1);
}

/** Goes to a unit and keeps its card open. */
function pin(unit) {
  pinned = true;
  show(unit);
  select(unit);
  showCard(unit);
  requestAnimationFrame(() => requestAnimationFrame(() => {
    if (pinned && selected === unit) showCard(unit);
  }));
  try { history.replaceState(null, "", "#token=" + unit); } catch { /* some browsers refuse this for local files */ }
}

function watchText() {
  main.addEventListener("pointerover", (event) => {
    if (pinned || event.pointerType === "touch") return;
    const unit = unitOf(event.target);
    if (unit < 0) return;
    select(unit);
    showCard(unit);
  });
  main.addEventListener("pointerleave", () => { if (!pinned) hideCard(); });
  main.addEventListener("click", (event) => {
    const unit = unitOf(event.target);
    if (unit < 0 || (pinned && unit === selected)) return hideCard();
    if (!getSelection().isCollapsed) return;
    pinned = true;
    select(unit);
    showCard(unit);
  });
  // A card that stays belongs to its token wherever that goes.
  addEventListener("scroll", () => { if (pinned && selected >= 0) showCard(selected); else card.hidden = true; }, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input, select");
    if (event.key === "Escape") return hideCard();
    if (typing) return;
    if (event.key === "/" ) { event.preventDefault(); document.getElementById("query").focus(); }
    else if (event.key === "n") goToCostly(costly.at + 1);
    else if (event.key === "p") goToCostly(costly.at - 1);
    else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && (selected >= 0 || event.target === main)) {
      event.preventDefault();
      const next = selected < 0 ? 0 : selected + (event.key === "ArrowRight" ? 1 : -1);
      if (next >= 0 && next < units.count) pin(next);
    }
  });
}

function watchBar() {
  const query = document.getElementById("query"), exact = document.getElementById("case");
  let searched = "";
  const again = () => {
    const wanted = (exact.checked ? "1" : "0") + query.value;
    if (wanted === searched) return false;
    searched = wanted;
    search(query.value, exact.checked);
    return true;
  };
  let timer = 0;
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(again, 120); });
  exact.addEventListener("change", again);
  query.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    again();
    goToMatch(event.shiftKey ? -1 : 1);
  });
  document.getElementById("find").addEventListener("submit", (event) => { event.preventDefault(); again(); goToMatch(1); });
  document.getElementById("find-back").addEventListener("click", () => { again(); goToMatch(-1); });
  document.getElementById("costly-next").addEventListener("click", () => goToCostly(costly.at + 1));
  document.getElementById("costly-back").addEventListener("click", () => goToCostly(costly.at - 1));
  document.getElementById("by").addEventListener("change", (event) => { colourBy = event.target.value; fillLegend(); recolour(); });
  document.getElementById("legend").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const only = main.dataset.only === button.dataset.n ? null : button.dataset.n;
    if (only === null) delete main.dataset.only; else main.dataset.only = only;
    for (const other of button.parentElement.children) other.setAttribute("aria-pressed", other.dataset.n === only);
  });
}

const darkSystem = matchMedia("(prefers-color-scheme: dark)");
let theme = "system";
function paint() {
  document.documentElement.dataset.theme = theme === "system" ? (darkSystem.matches ? "dark" : "light") : theme;
  document.getElementById("theme").textContent = "Theme: " + theme;
}
darkSystem.addEventListener("change", paint);
document.getElementById("theme").addEventListener("click", () => {
  theme = { system: "light", light: "dark", dark: "system" }[theme];
  paint();
});

/** `#token=N`, `#find=TEXT` and `#theme=dark`, also together with `&`. */
function followAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (["light", "dark"].includes(wanted.get("theme"))) { theme = wanted.get("theme"); paint(); }
  if (wanted.get("find")) {
    document.getElementById("query").value = wanted.get("find");
    search(wanted.get("find"), false);
    goToMatch(1);
  }
  const unit = Number(wanted.get("token") ?? -1);
  if (Number.isInteger(unit) && unit >= 0 && unit < units.count) pin(unit);
}

paint();
load().then(() => {
  fillHead();
  fillLegend();
  fillBins();
  countBits();
  drawCurve();
  drawHistogram();
  rankCosts();
  layChunks();
  for (const chunk of chunks.slice(0, 2)) fill(chunk);
  watchCharts();
  watchText();
  watchBar();
  let timer = 0;
  addEventListener("resize", () => { clearTimeout(timer); timer = setTimeout(() => { drawCurve(); drawHistogram(); estimate(); }, 150); });
  addEventListener("hashchange", followAddress);
  followAddress();
  status.hidden = true;
  document.body.dataset.ready = units.count;
}).catch((error) => {
  status.textContent = "This page cannot be shown: " + error.message;
  document.body.dataset.failed = error.message;
});
