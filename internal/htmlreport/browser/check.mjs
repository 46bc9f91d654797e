// Opens pages in a real Chromium, at two widths and in both schemes, and says what is
// wrong with them: node check.mjs CHROMIUM OUT PAGE... A page is a file or an address.
// It ends with 1 where anything is wrong. Screenshots are left in OUT.
import { createRequire } from "node:module";
import { basename, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const [browserPath, out, ...pages] = process.argv.slice(2);
const views = [375, 1600].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ width, colorScheme })));

const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
let wrong = 0, opened = 0;
const complain = (where, what) => { wrong++; console.log(`WRONG ${where}: ${what}`); };

for (const name of pages) {
  const address = /^https?:/.test(name) ? name : pathToFileURL(resolve(name)).href;
  const short = basename(new URL(address).pathname, ".html") || "list";
  for (const view of views) {
    const where = `${short} ${view.width} ${view.colorScheme}`;
    // axe is put into the page by the debugger, past the page's own policy: bypassCSP would switch that off.
    const context = await browser.newContext({ viewport: { width: view.width, height: 900 }, colorScheme: view.colorScheme });
    const page = await context.newPage();
    page.on("console", (m) => { if (["error", "warning"].includes(m.type())) complain(where, `console: ${m.text()}`); });
    page.on("pageerror", (e) => complain(where, `script: ${e.message}`));
    page.on("dialog", (d) => { complain(where, `dialog: ${d.message()}`); d.dismiss(); });
    page.on("request", (r) => { if (r.url() !== address && !r.url().startsWith("data:") && !own(address, r.url())) complain(where, `request: ${r.url()}`); });
    await page.goto(address);
    await page.screenshot({ path: `${out}/${short}-${view.width}-${view.colorScheme}.png`, fullPage: true });
    opened++;
    for (const said of await inspect(page)) complain(where, said);
    for (const said of await operate(page)) complain(where, said);
    await page.evaluate(() => { for (const d of [...document.querySelectorAll("details")].slice(0, 40)) d.open = true; });
    for (const said of await accessible(page)) complain(where, said);
    await context.close();
  }
}
await browser.close();
console.log(`${opened} views opened, ${wrong} wrong`);
process.exit(wrong ? 1 : 0);

// own tells that a page of a server asks that server.
function own(page, asked) {
  return page.startsWith("http") && new URL(asked).origin === new URL(page).origin;
}

// inspect looks at what is there.
async function inspect(page) {
  return page.evaluate(() => {
    const said = [];
    const all = (s) => [...document.querySelectorAll(s)];
    if (document.documentElement.scrollWidth > innerWidth) said.push(`it scrolls sideways: ${document.documentElement.scrollWidth} px`);
    if (!document.querySelector("h1")?.textContent.trim()) said.push("it has no heading");
    if (!document.querySelector("meta[http-equiv=Content-Security-Policy]")) said.push("it has no policy");
    for (const p of all("svg.picture")) {
      if (!p.getAttribute("aria-label")?.trim()) said.push(`picture ${p.id} has no text alternative`);
      if (!p.querySelector("use,rect,path")) said.push(`picture ${p.id} is empty`);
      if (p.closest(":not(svg)").offsetParent && p.getBoundingClientRect().width < 100) said.push(`picture ${p.id} is too narrow`);
    }
    for (const t of all("table")) if (!t.tBodies[0]?.rows.length) said.push("a table is empty");
    if (all("article[data-outcome] tbody tr").length && !all("svg.picture").length) said.push("there are tables and no picture");
    const ids = all("[id]").map((e) => e.id);
    for (const id of new Set(ids.filter((x, i) => ids.indexOf(x) !== i))) said.push(`the id ${id} is there twice`);
    for (const a of all("a[href^='#']")) if (!document.getElementById(a.getAttribute("href").slice(1))) said.push(`${a.getAttribute("href")} leads nowhere`);
    if (all("script").length !== 1 || all("[onload],[onerror],[onclick],iframe,object,embed,img").length) said.push("something got in");
    return said;
  });
}

// operate uses filter, order, sorting and links as a reader does.
async function operate(page) {
  const said = [];
  const shown = () => page.locator("#list > article:visible").count();
  const total = await page.locator("#list > article").count();
  if (total > 1 && await page.locator("#filter").count()) {
    for (const [name, attribute] of [["path", "path"], ["outcome", "outcome"]]) {
      if (!(await page.locator(`#filter [name=${name}]`).count())) continue; // no claims, no verdicts
      for (const value of await page.locator(`#filter [name=${name}] option`).evaluateAll((o) => o.map((x) => x.value).filter(Boolean))) {
        await page.selectOption(`#filter [name=${name}]`, value);
        const want = await page.locator("#list > article").evaluateAll((a, [k, v]) => a.filter((x) => x.dataset[k] === v).length, [attribute, value]);
        if (await shown() !== want || want === 0) said.push(`filter ${name}=${value} shows ${await shown()}, want ${want}`);
      }
      await page.selectOption(`#filter [name=${name}]`, "");
    }
    const arm = await page.locator("#filter [name=arm] option").evaluateAll((o) => o.at(-1).value);
    await page.selectOption("#filter [name=arm]", arm);
    if (arm && !(await shown())) said.push(`filter arm=${arm} shows nothing`);
    if (arm && !(await page.locator("tr.chosen").count()) && await page.locator(`tr[data-arm="${arm}"]`).count()) said.push(`filter arm=${arm} marks no row`);
    await page.selectOption("#filter [name=order]", "name");
    const names = await page.locator("#list > article").evaluateAll((a) => a.map((x) => x.dataset.name));
    if (names.join() !== names.toSorted((a, b) => a.localeCompare(b)).join()) said.push("order by name does not order");
    // A link to a comparison that the filter hides shows it.
    const hidden = await page.locator("#list > article[hidden]").first().getAttribute("id", { timeout: 200 }).catch(() => null);
    if (hidden) {
      await page.evaluate((id) => { location.hash = id; }, hidden);
      await page.locator(`#${hidden}`).waitFor({ state: "visible", timeout: 2000 }).catch(() => said.push(`the link to ${hidden} does not show it`));
    }
    await page.click("#filter button[type=reset]");
    await page.waitForFunction((n) => document.querySelectorAll("#list > article:not([hidden])").length === n, total, { timeout: 2000 }).catch(() => said.push("show all does not"));
  }
  const table = page.locator("table.sortable:visible").first();
  if (await table.count() && await table.locator("tbody tr").count() > 1) {
    const button = table.locator("thead button").nth(2);
    await button.focus();
    await page.keyboard.press("Enter");
    const values = await table.locator("tbody tr").evaluateAll((r) => r.map((x) => Number(x.cells[2].dataset.v)));
    if (values.some((v, i) => i && v < values[i - 1])) said.push(`sorting by the keyboard gives ${values}`);
    if (await table.locator("th[aria-sort=ascending]").count() !== 1) said.push("the sorted column is not named");
  }
  return said;
}

// accessible asks axe-core; what it calls serious or critical is wrong.
async function accessible(page) {
  const { readFileSync } = await import("node:fs");
  await page.evaluate(readFileSync(axe, "utf8"));
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  return violations.filter((v) => ["serious", "critical"].includes(v.impact))
    .map((v) => `axe ${v.id} (${v.impact}): ${v.nodes.length} × ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join(" | ")}`);
}
