// Assertions and a list of tests, for runtimes that have no runner in common.

export function ok(value, message = "is not true") {
  if (!value) throw new Error(message);
}

export function equal(actual, expected, message = "") {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (left !== right) throw new Error(`${message} ${left} is not ${right}`.trim());
}

/** What `act` throws; an error when it throws nothing. */
export async function thrown(act) {
  let value;
  try {
    value = await act();
  } catch (error) {
    return error;
  }
  throw new Error(`nothing was thrown, but returned: ${String(value)}`);
}

export class Suite {
  #tests = [];

  test(name, run) {
    this.#tests.push({ name, run });
  }

  /** Runs everything, one after the other: they share the emulator's clock. */
  async run(context, only = "") {
    const report = { passed: [], failed: [], skipped: [] };
    for (const { name, run } of this.#tests.filter((test) => test.name.includes(only))) {
      try {
        await run({ ...context, skip: (reason) => { throw new Skip(reason); } });
        report.passed.push(name);
      } catch (error) {
        if (error instanceof Skip) report.skipped.push({ name, reason: error.message });
        else report.failed.push({ name, error: `${error?.name}: ${error?.message}`, code: error?.code, stack: String(error?.stack ?? error) });
      }
    }
    return report;
  }
}

class Skip extends Error {}
