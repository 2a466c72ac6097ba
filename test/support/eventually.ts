/** Waits until the check holds. Long enough for the safety net, which comes every 15 s; fails by saying what was awaited. */
export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const until = Date.now() + 25_000;
  while (!(await check())) {
    if (Date.now() > until) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
