/** What runs on a node beside its containers. Pure. */
import { z } from 'zod';

/** The two processes of a node that Fairway watches and restarts. */
export const Component = z.enum(['kubelet', 'kube-proxy']);
export type Component = z.infer<typeof Component>;
