export default async function globalTeardown() {
  await globalThis.fairwayRedis?.close();
}
