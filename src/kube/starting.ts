/** Kubernetes' events that say that a kubelet or kube-proxy has started. Pure. */
import { z } from 'zod';
import { Component } from '../node/component.js';

export interface Started {
  node: string;
  component: Component;
  /** The event's, for telling repeated ones. */
  uid: string;
}

/**
 * Old and new forms. The component tells them apart, never the message: kube-proxy's is empty since 1.19. In old versions the
 * object's uid is the node's name, so it is found by name.
 */
const Event = z.object({
  metadata: z.object({ uid: z.string(), creationTimestamp: z.string().nullish() }),
  reason: z.literal('Starting'),
  involvedObject: z.object({ kind: z.literal('Node'), name: z.string() }),
  source: z.object({ component: z.string().optional() }).optional(),
  reportingComponent: z.string().optional(),
});

/** What an event tells of a start after `since`; null when it tells of something else. */
export function startedBy(event: unknown, since: Date): Started | null {
  const read = Event.safeParse(event);
  if (!read.success) return null;
  const { metadata, involvedObject, source, reportingComponent } = read.data;
  const component = [source?.component, reportingComponent]
    .map((name) => Component.safeParse(name).data)
    .find((name) => name !== undefined);
  const at = Date.parse(metadata.creationTimestamp ?? '');
  if (component === undefined || !(at >= since.getTime() - SLACK_MS)) return null;
  return { node: involvedObject.name, component, uid: metadata.uid };
}

/** Timestamps are whole seconds. */
const SLACK_MS = 1000;
