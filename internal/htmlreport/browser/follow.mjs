// Opens the page of a run that goes on, and waits until it shows what comes:
// node follow.mjs CHROMIUM ADDRESS. It prints "open", then a line for each text that it
// reads from standard input once that is on the page, or WRONG and why.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [browserPath, address] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
page.on("console", (m) => { if (m.type() === "error") console.log(`WRONG console: ${m.text()}`); });
page.on("pageerror", (e) => console.log(`WRONG script: ${e.message}`));
const following = page.waitForResponse((r) => r.url().endsWith("/events"));
await page.goto(address);
await following;
await page.selectOption("#filter [name=order]", "name");
console.log("open");
for await (const text of createInterface({ input: process.stdin })) {
  try {
    await page.waitForFunction((t) => document.documentElement.outerHTML.includes(t), text, { timeout: 60000 });
    const order = await page.locator("#filter [name=order]").inputValue();
    console.log(order === "name" ? `seen ${text}` : `WRONG the chosen order became ${order}`);
  } catch (e) {
    console.log(`WRONG ${text}: ${e.message}`);
  }
}
await browser.close();
