import type { ReasonCode } from '../errors/reason.js';
import type { IsolationLevel, Launcher, LaunchRequest } from '../interfaces/launcher.js';
import type { Manifest } from '../manifest/manifest.js';
import type { Plan } from '../policy/plan.js';

/** What a worker is launched with. */
export interface Startable {
  readonly startable: true;
  readonly launcher: Launcher;
  readonly runtime: LaunchRequest['runtime'];
}

/** What a worker is launched with, or why none can be launched here. */
export type StartRequirements = Startable | { readonly startable: false; readonly code: ReasonCode; readonly message: string };

/** A plugin whose content is no longer what was installed is not started: nobody has approved what was put there. */
export const contentChanged: StartRequirements = {
  startable: false,
  code: 'CONTENT_CHANGED',
  message: 'Its folder has changed since it was installed.',
};

/** From the weakest level to the strongest. */
const isolationOrder: readonly IsolationLevel[] = ['none', 'process', 'sandbox'];

/** What stands for the runtime of a worker that somebody else started. */
const startedElsewhere: Startable['runtime'] = { type: 'external', entry: '', args: [], env: {}, channel: 'fd' };

/** Whether a plugin can be started by a launcher at all. */
export function startRequirements({ runtime, minIsolation }: Manifest, launcher: Launcher | undefined): StartRequirements {
  const dialsIn = launcher?.isolation === 'external';
  if (runtime?.entry === undefined && !dialsIn)
    return refuse('SPAWN_FAILED', 'Its manifest says nothing that could be started here (runtime.entry).');
  if (launcher === undefined) return refuse('SPAWN_FAILED', 'The host has no launcher; pass one, or use createNodeHost.');
  if (minIsolation !== undefined && !isAtLeast(launcher.isolation, minIsolation)) {
    const message = `Its manifest wants isolation "${minIsolation}", the launcher "${launcher.name}" gives "${launcher.isolation}".`;
    return refuse('ISOLATION_UNAVAILABLE', message);
  }
  return { startable: true, launcher, runtime: runtime?.entry === undefined ? startedElsewhere : { ...runtime, entry: runtime.entry } };
}

/** Why a plugin with such a plan is not started; undefined if it may be. */
export function planRefusal(
  pluginId: string,
  { status, items }: Plan,
): { readonly code: 'CAPABILITY_DENIED' | 'APPROVAL_REQUIRED'; readonly message: string } | undefined {
  if (status === 'ready') return undefined;
  const open = items.filter((item) => !item.optional && item.outcome !== 'granted');
  const names = open.map((item) => `${item.request.capability} (${item.explanation})`).join(' ');
  return status === 'denied'
    ? { code: 'CAPABILITY_DENIED', message: `The policy denies "${pluginId}" what it needs: ${names}` }
    : { code: 'APPROVAL_REQUIRED', message: `"${pluginId}" awaits approval: ${names}` };
}

/** Failures of a plugin's own making: a worker that dials in again would only repeat them, so that somebody has to look. */
const ownFaults: ReadonlySet<ReasonCode> = new Set(['PROTOCOL_ERROR', 'LOAD_FAILED', 'CONTENT_CHANGED', 'ISOLATION_UNAVAILABLE']);

/** What a plugin does after a start that failed, or a worker that was lost. */
export function afterFailure(code: ReasonCode | undefined, launcher: Launcher | undefined): 'failed-final' | 'await-dial-in' {
  return launcher?.isolation === 'external' && (code === undefined || !ownFaults.has(code)) ? 'await-dial-in' : 'failed-final';
}

function refuse(code: ReasonCode, message: string): StartRequirements {
  return { startable: false, code, message };
}

/** `external` is beside the order: of a worker elsewhere the host knows nothing, so that it has at least `none` and nothing else has at least it. */
function isAtLeast(given: IsolationLevel, wanted: IsolationLevel): boolean {
  if (wanted === given || wanted === 'none') return true;
  const rank = isolationOrder.indexOf(wanted);
  return rank >= 0 && isolationOrder.indexOf(given) >= rank;
}
