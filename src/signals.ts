/** Waiting for the end of a process: SIGTERM from an orchestrator, SIGINT from a keyboard. */

/** Resolves at the first SIGTERM or SIGINT. A second one ends the process at once, for whoever can't wait for the draining. */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false;
    const onSignal = () => {
      if (asked) process.exit(130);
      asked = true;
      resolve();
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
  });
}
