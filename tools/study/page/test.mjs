// Drives a report of `lmz study` in Chromium: charts are there, every control redraws, tables sort, no console error, nothing is fetched.
//
//   node test.mjs REPORT.html [SCREENSHOT_DIR]
//
// CHROMIUM names the browser (default /usr/bin/chromium).
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [file, shots] = process.argv.slice(2);
assert(file, "usage: node test.mjs REPORT.html [SCREENSHOT_DIR]");
const profile = mkdtempSync(path.join(tmpdir(), "lmz-study-"));
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function open(colorScheme, width, height) {
  const context = await chromium.launchPersistentContext(path.join(profile, `${colorScheme}-${width}`), {
    executablePath: process.env.CHROMIUM || "/usr/bin/chromium", headless: true, args: flags, colorScheme, viewport: { width, height },
  });
  const page = await context.newPage();
  const errors = [], fetched = [];
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => !/^(file|data|blob):/.test(request.url()) && fetched.push(request.url()));
  await page.goto(pathToFileURL(path.resolve(file)).href);
  await page.waitForSelector("html[data-ready=true]");
  return { context, page, errors, fetched };
}

for (const [name, scheme, width, height] of [["light", "light", 1280, 900], ["dark", "dark", 1280, 900], ["phone", "light", 390, 844]]) {
  const { context, page, errors, fetched } = await open(scheme, width, height);
  const dots = await page.locator("#main-figure .panel svg [aria-label=dot] path, #main-figure .panel svg [aria-label=dot] circle").count();
  assert(dots > 0, "points in figure 1");
  assert((await page.locator("#main-figure .panel svg [aria-label=line] path").count()) > 0, "lines in figure 1");
  assert((await page.locator("#explore svg").count()) >= 1 && (await page.locator("#matrix svg").count()) === 1, "figures 2 and 3");
  assert((await page.locator("#main-figure .panel .labels text").count()) > 0, "names of models");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert(overflow <= 0, `the page is ${overflow} pixels too wide on ${name}`);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), scheme);

  // Each option of each control redraws something, and no option breaks the page.
  const controls = await page.locator("select").evaluateAll((all) => all.map((select) => ({ control: select.dataset.control, options: [...select.options].map((o) => o.value) })));
  for (const { control, options } of controls) {
    const before = await page.locator(`main`).innerHTML();
    for (const option of options.slice().reverse()) {
      await page.locator(`select[data-control="${control}"]`).selectOption(option);
      assert.equal(await page.locator(`select[data-control="${control}"]`).inputValue(), option);
    }
    if (options.length > 1) {
      await page.locator(`select[data-control="${control}"]`).selectOption(options[1]);
      assert.notEqual(await page.locator(`main`).innerHTML(), before, `${control} changes the page`);
      await page.locator(`select[data-control="${control}"]`).selectOption(options[0]);
    }
  }

  // A heading sorts, and again the other way round.
  const head = page.locator("#tables th", { hasText: /^parameters/ }).first();
  const column = () => page.locator("#tables table").first().locator("tbody tr td:nth-child(3)").allInnerTexts();
  await head.click();
  const up = await column();
  assert.equal(await head.getAttribute("aria-sort"), "ascending");
  await head.click();
  assert.equal(await head.getAttribute("aria-sort"), "descending");
  if (up.length > 1) assert.notDeepEqual(await column(), up);

  // The pointer on a point shows its figures.
  const chart = page.locator("#main-figure .panel svg").first();
  await chart.scrollIntoViewIfNeeded();
  const at = await chart.locator("[aria-label=dot] path, [aria-label=dot] circle").first().boundingBox();
  await page.mouse.move(at.x + at.width / 2 - 3, at.y + at.height / 2);
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2);
  await page.waitForFunction(() => /points|in the fit/.test(document.querySelector("#main-figure .panel svg [aria-label=tip]").textContent));
  await page.mouse.move(2, 2);

  // Pictures can be saved.
  for (const [label, suffix] of [["SVG", ".svg"], ["PNG", ".png"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#main-figure button.save", { hasText: label }).first().click()]);
    assert(download.suggestedFilename().endsWith(suffix));
  }
  await page.locator("#theme").click();
  await page.locator("#theme").click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.locator("#theme").click();
  if (shots) {
    await page.reload();
    await page.waitForSelector("html[data-ready=true]");
    await page.screenshot({ path: path.join(shots, `${name}.png`), fullPage: true });
    if (name === "light") await page.pdf({ path: path.join(shots, "print.pdf"), format: "A4" });
  }
  assert.deepEqual(errors, [], "console errors");
  assert.deepEqual(fetched, [], "requests to a network");
  await context.close();
  console.log(`${name}: ${dots} points, ${controls.length} controls, no errors`);
}
