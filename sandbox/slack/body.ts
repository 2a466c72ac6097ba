/** Reading what arrives over HTTP: form, JSON and multipart bodies. */
import type { IncomingMessage } from 'node:http';
import { isObj, type Obj } from './types.js';

export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** A Web API call's arguments. Form fields that hold JSON (blocks, view, metadata, files) are parsed, as Slack does. */
export function parseArguments(raw: string, contentType: string): Obj {
  if (contentType.startsWith('application/json')) {
    const parsed = parseJson(raw);
    return isObj(parsed) ? parsed : {};
  }
  return Object.fromEntries(
    [...new URLSearchParams(raw)].map(([key, value]) => [
      key,
      JSON_FIELDS.includes(key) ? parseJson(value) : value,
    ]),
  );
}

const JSON_FIELDS = ['blocks', 'attachments', 'metadata', 'view', 'files'];

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The content of an upload: the only part of a multipart form, or the raw body. */
export async function uploadedContent(raw: Buffer, contentType: string): Promise<Buffer> {
  if (!contentType.startsWith('multipart/form-data')) return raw;
  const form = await new Response(new Uint8Array(raw), {
    headers: { 'content-type': contentType },
  }).formData();
  for (const [, value] of form) {
    if (typeof value !== 'string') return Buffer.from(await value.arrayBuffer());
  }
  return Buffer.alloc(0);
}
