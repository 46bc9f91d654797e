// Makes the picture of a page's top: node screenshot.mjs CHROMIUM PAGE FILE.png HEIGHT
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [browserPath, file, out, height] = process.argv.slice(2);
const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
const page = await (await browser.newContext({ viewport: { width: 1280, height: Number(height) }, colorScheme: "light" })).newPage();
await page.goto(pathToFileURL(resolve(file)).href);
await page.screenshot({ path: out });
await browser.close();
