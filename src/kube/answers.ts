/** What the API server answers, read into what Fairway wants to know. Pure. */
import { z } from 'zod';
import { type Cidr, parseCidr } from '../ip.js';
import { ApiError } from './trouble.js';
import { OS_LABELS } from './version.js';

/** A node as the API server has it. Where it says nothing, a field is null or empty. */
export interface ApiNode {
  name: string;
  /** Of several, the IPv4 one; text as it stands there when none is. */
  podCidr: Cidr | string | null;
  addresses: string[];
  /** By its label. */
  os: string | null;
}

const Version = z.object({ gitVersion: z.string().regex(/^v\d+\.\d+/) });

/** An RFC 1123 subdomain: it goes into lines that people paste. */
const Name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,252}$/);

const NodeList = z.object({
  metadata: z.object({ continue: z.string().optional() }).optional(),
  items: z.array(
    z.object({
      metadata: z.object({ name: Name, labels: z.record(z.string(), z.string()).optional() }),
      // `podCIDRs` since 1.16, for two families of addresses.
      spec: z.object({ podCIDR: z.string().optional(), podCIDRs: z.array(z.string()).optional() }).optional(),
      status: z
        .object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).optional() })
        .optional(),
    }),
  ),
});

/** `v1.5.2`, from `/version`. Throws an ApiError. */
export function readVersion(text: string): string {
  return readJson(Version, text).gitVersion;
}

/** One page of `/api/v1/nodes`; `next` is where to go on. Throws an ApiError. */
export function readNodes(text: string): { nodes: ApiNode[]; next: string | undefined } {
  const { items, metadata } = readJson(NodeList, text);
  const nodes = items.map(({ metadata: { name, labels }, spec, status }): ApiNode => {
    const cidrs = [spec?.podCIDR, ...(spec?.podCIDRs ?? [])].filter((cidr) => cidr !== undefined);
    return {
      name,
      podCidr: cidrs.find((cidr) => parseCidr(cidr) !== null) ?? (cidrs[0] || null),
      addresses: (status?.addresses ?? [])
        .filter(({ type }) => type === 'InternalIP')
        .map(({ address }) => address),
      os: OS_LABELS.map((label) => labels?.[label]).find((os) => os !== undefined) ?? null,
    };
  });
  return { nodes, next: metadata?.continue || undefined };
}

function readJson<T>(schema: z.ZodType<T>, text: string): T {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    throw new ApiError('garbage', `no JSON: ${text.slice(0, 60)}`);
  }
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw new ApiError('garbage', `wrong at ${issue?.path.join('.') || 'its top'}: ${issue?.message}`);
}
