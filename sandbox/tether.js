/** Preloaded into the sandbox's programs: when the sandbox is gone, however it went, they end too. */
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
// The tether alone is no reason to stay alive.
process.channel?.unref();
