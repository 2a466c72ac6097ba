/** Nodes and the inventory: what Fairway believes the cluster consists of. Pure. */
import { z } from 'zod';
import { type Cidr, type Ipv4, parseCidr, parseIpv4 } from '../ip.js';
import { Component } from './component.js';

export const Os = z.enum(['linux', 'windows']);
export type Os = z.infer<typeof Os>;

/** A Kubernetes node name: an RFC 1123 label, at most 63 characters (so `ssh -F`, kubectl and file names all take it as is). */
export const NodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
export const Ipv4Text = z.string().refine((text): text is Ipv4 => parseIpv4(text) !== null);
export const CidrText = z.string().refine((text): text is Cidr => parseCidr(text) !== null);
/** A MAC address as Windows prints it, `00-15-5D-00-04-01`. */
export const Mac = z.string().regex(/^([0-9A-F]{2}-){5}[0-9A-F]{2}$/);
/** `user@host` or `user@host:port`, when it differs from what the SSH configuration says of the node's name. */
export const SshTarget = z
  .string()
  .regex(/^[a-z_][a-z0-9_.-]{0,31}@[a-z0-9][a-z0-9.-]{0,252}(:[1-9][0-9]{0,4})?$/i);

/** A machine and the way to it. */
export const Machine = z.strictObject({ os: Os, address: Ipv4Text, ssh: SshTarget.optional() });
export type Machine = z.infer<typeof Machine>;

/** What the user asked for: a node without its pod CIDR. */
export const NodeSpec = z.strictObject({
  name: NodeName,
  ...Machine.shape,
  /** Windows only: the NIC given up to the container network (S8). Found by itself when there is just one candidate. */
  containerNic: Mac.optional(),
});
export type NodeSpec = z.infer<typeof NodeSpec>;

/** A node of a cluster that exists already. Without a pod CIDR: the one that its host holds. */
export const NodeEntry = NodeSpec.extend({ podCidr: CidrText.optional() });
export type NodeEntry = z.infer<typeof NodeEntry>;

/** What Fairway itself made on the node while adding it, so that removing it leaves nothing behind and takes nothing else. */
export const Made = z.strictObject({
  bridge: z.boolean(),
  /** The pod gateway's address on the bridge. Absent on nodes that were added before this was noted: they got theirs from us. */
  gateway: z.boolean().optional(),
  podNetwork: z.boolean(),
  forwarding: z.boolean(),
  /** Absent on nodes that were added before Fairway made these. */
  routingService: z.boolean().optional(),
  virtualSwitch: z.boolean().optional(),
  image: z.boolean().optional(),
  components: z.array(Component).optional(),
  persistence: z.boolean().optional(),
});
export type Made = z.infer<typeof Made>;

/** `executables`: where a component lies that was delivered to this node; without it, where the configuration says. */
export const Node = NodeSpec.extend({
  podCidr: CidrText,
  made: Made.optional(),
  executables: z.partialRecord(Component, z.string()).optional(),
});
export type Node = z.infer<typeof Node>;

/** The desired state of the cluster. `revision` grows by one with every change of it; the first one is an instant, in ms. */
export interface Inventory {
  revision: number;
  nodes: readonly Node[];
}
