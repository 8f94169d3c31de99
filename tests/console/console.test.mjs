// The emulator's console in a real Chromium: what people see, with and without script, by keyboard.
// Run by tests/suites/console, which starts the emulator and says where it is.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, beforeEach, afterEach, test } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const run = promisify(execFile);
const { ENDPOINT, CALL_ACCEPTED, CALL_HOSTILE, CHROMIUM, SCREENSHOT } = process.env;
for (const [name, value] of Object.entries({ ENDPOINT, CALL_ACCEPTED, CALL_HOSTILE, CHROMIUM })) {
  assert.ok(value, `${name} is not set: run tests/suites/console`);
}

let browser, context, page, complaints;
before(async () => {
  // Root, as in containers, has no sandbox to be in.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  browser = await chromium.launch({ executablePath: CHROMIUM, args });
});
after(() => browser?.close());
beforeEach(async () => {
  await open({});
});
afterEach(async () => {
  await context.close();
  // A policy that stops the page's own script or style shows up here.
  assert.deepEqual(complaints, []);
});

async function open(options) {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  page = await context.newPage();
  complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  const answer = await page.goto(`${ENDPOINT}/`);
  assert.equal(answer.status(), 200);
}

const call = (command) => run("bash", ["-c", command]);
const rows = (id) => page.locator(`#${id} tbody tr`);

test("the screenshot for the README", { skip: SCREENSHOT ? false : "SCREENSHOT names no file" }, async () => {
  // First, while there is something of everything.
  await open({ colorScheme: "light", viewport: { width: 1180, height: 1040 } });
  await page.screenshot({ path: SCREENSHOT });
});

test("it shows anchors, profiles, roles and the reason of each refusal", async () => {
  assert.equal(await page.title(), "Roles Anywhere emulator");
  await page.getByRole("heading", { level: 1, name: "Roles Anywhere emulator" }).waitFor();
  for (const name of ["Calls", "Expiry of certificates", "Trust anchors", "Profiles", "Roles", "Subjects"]) {
    await page.getByRole("heading", { level: 2, name, exact: true }).waitFor();
  }
  await page.getByRole("table", { name: "Trust anchors", exact: true }).getByText("CN=Console CA").waitFor();
  const refusal = rows("calls").filter({ hasText: "Refused" }).filter({ hasText: "trust policy" }).first();
  await refusal.getByText("Unable to assume role").waitFor();
  await refusal.getByText("the request has db, the policy lists web").waitFor();
});

test("certificates stand on a time line, the first to expire on top", async () => {
  const ends = await page.locator("#expiry tbody time").evaluateAll((times) => times.map((time) => time.dateTime));
  assert.ok(ends.length >= 2, `${ends.length} certificates`);
  assert.deepEqual(ends, ends.toSorted());
  const widths = await page.locator("#expiry tbody rect.bar").evaluateAll((bars) => bars.map((bar) => bar.getBoundingClientRect().width));
  assert.ok(widths.length >= 2 && widths[0] < widths.at(-1), `bars of ${widths}`);
  // A trust anchor's last month is soon; the day that a workload's certificate lives from its start is not.
  await rows("expiry").filter({ hasText: "CN=Retiring CA" }).getByText("expires soon").waitFor();
  await rows("expiry").filter({ hasText: "CN=mail-1.example" }).getByText("valid", { exact: true }).waitFor();
});

test("a new call appears without loading the page again", async () => {
  await page.evaluate(() => { window.sameDocument = true; });
  const count = await rows("calls").count();
  await call(CALL_ACCEPTED);
  await page.waitForFunction((count) => document.querySelectorAll("#calls tbody tr").length > count, count, { timeout: 10_000 });
  await rows("calls").first().getByText("Accepted").waitFor();
  assert.equal(await page.evaluate(() => window.sameDocument), true);
});

test("updates can be paused and resumed by keyboard, and focus stays", async () => {
  const pause = page.getByRole("button", { name: "Pause updates" });
  await pause.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Resume updates" }).waitFor();
  const shown = await page.locator("#clock").textContent();
  const count = await rows("calls").count();
  await call(CALL_ACCEPTED);
  await page.waitForTimeout(3_000);
  assert.equal(await page.locator("#clock").textContent(), shown);
  await page.keyboard.press("Space");
  await page.waitForFunction((count) => document.querySelectorAll("#calls tbody tr").length > count, count, { timeout: 10_000 });
  assert.equal(await page.evaluate(() => document.activeElement.id), "pause");
  // A table that is being scrolled by keyboard keeps its focus while its rows change.
  await page.locator("#calls .scroll").focus();
  await call(CALL_ACCEPTED);
  await page.waitForFunction((count) => document.querySelectorAll("#calls tbody tr").length > count + 1, count, { timeout: 10_000 });
  assert.equal(await page.evaluate(() => document.activeElement.closest("section")?.id), "calls");
});

test("everything is reached by keyboard, in order, and the focus is seen", async () => {
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to the content" });
  assert.ok((await skip.boundingBox()).x >= 0, "the skip link shows when it has the focus");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await open({});
  const stops = [];
  for (let press = 0; press < 40; press += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body) return null;
      const style = getComputedStyle(element);
      return { name: element.id || element.closest("section")?.id || element.textContent, outline: style.outlineStyle };
    });
    if (stop === null) break;
    stops.push(stop);
  }
  assert.ok(stops.every((stop) => stop.outline !== "none"), JSON.stringify(stops));
  const names = stops.map((stop) => stop.name);
  for (const name of ["pause", "calls", "expiry", "anchors", "profiles", "roles"]) assert.ok(names.includes(name), names.join());
});

test("without script it shows the same, and offers no button that does nothing", async () => {
  await open({ javaScriptEnabled: false });
  await page.getByRole("table", { name: "Trust anchors", exact: true }).getByText("CN=Console CA").waitFor();
  assert.equal(await page.getByRole("button").count(), 0);
  await call(CALL_ACCEPTED);
  const count = await rows("calls").count();
  await page.reload();
  assert.ok((await rows("calls").count()) > count);
});

test("a certificate's name is text, whatever it says", async () => {
  await call(CALL_HOSTILE);
  await page.reload();
  // RFC 2253 escapes angle brackets and `=`.
  await rows("calls").first().getByText("CN=\\<img src\\=x onerror\\=document.title\\=1\\>").first().waitFor();
  assert.equal(await page.locator("main img, main script").count(), 0);
  assert.equal(await page.title(), "Roles Anywhere emulator");
});

test("text has contrast in light and dark", async () => {
  for (const colorScheme of ["light", "dark"]) {
    await open({ colorScheme });
    const poor = await page.evaluate(() => {
      // WCAG 2.2, relative luminance and contrast ratio.
      const channels = (color) => color.match(/[\d.]+/g).map(Number);
      const luminance = ([r, g, b]) =>
        [r, g, b].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
          .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
      const background = (element) => {
        for (let at = element; at; at = at.parentElement) {
          const color = channels(getComputedStyle(at).backgroundColor);
          if (color.length === 3 || color[3] === 1) return color;
        }
        return [255, 255, 255];
      };
      const found = [];
      for (const element of document.querySelectorAll("body *")) {
        const texts = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        if (!texts || element.closest("script, style")) continue;
        const style = getComputedStyle(element);
        const ink = element instanceof SVGElement ? style.fill : style.color;
        const [a, b] = [luminance(channels(ink)), luminance(background(element))].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) found.push(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
      }
      return found;
    });
    assert.deepEqual(poor, [], colorScheme);
  }
});

test("a narrow window scrolls tables, not the page", async () => {
  await open({ viewport: { width: 360, height: 740 } });
  const [page_, window_] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(page_ <= window_, `${page_} > ${window_}`);
});

test("a name that is not this machine's gets nothing", async () => {
  const { port } = new URL(ENDPOINT);
  const { stdout } = await run("curl", ["-sS", "-w", "%{http_code}", "--resolve", `rebound.example:${port}:127.0.0.1`,
    "-H", "Accept: text/html", `http://rebound.example:${port}/`]);
  assert.match(stdout, /403$/);
  assert.doesNotMatch(stdout, /Console CA/);
});
