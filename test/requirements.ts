/**
 * What the runtime must do, as data. A test cites an id in its title, `test('[session.settles-once] …')`, a Python test in a marker,
 * `@pytest.mark.requirement("python.io-thread")`. `requirements.test.ts` fails on an id that nobody cites and on a cited id that is not here.
 */
export interface Requirement {
  /** `area.name`; never changes its meaning. */
  readonly id: `${string}.${string}`;
  /** The behaviour, as one sentence that a test can decide. */
  readonly text: string;
  /** Where it comes from: a part of the documentation, or the complaint of users of another system. */
  readonly source: string;
  /** The piece of work that will bring it. Only while it is missing: citing such an id fails, so that the mark is removed. */
  readonly planned?: 'transports' | 'approval and audit' | 'isolation' | 'supervision' | 'conformance' | 'gateway';
}

const protocol = 'docs/protocol.md';
const manifest = 'docs/manifest.md';
const lifecycle = 'docs/lifecycle.md';
const testing = 'docs/testing.md';
const readme = 'README.md';
const performance = 'docs/performance.md';
const threats = 'threat model';

/** All requirements. Grouped by area; the order has no meaning. */
export const requirements: readonly Requirement[] = [
  // The wire
  { id: 'wire.golden-vectors', text: 'Every kind of message is encoded and decoded exactly as the golden vectors say.', source: protocol },
  { id: 'wire.hostile-frames', text: 'Every hostile vector is refused with the expected error, and nothing is decoded.', source: protocol },
  { id: 'wire.any-split', text: 'Frames are found however the bytes are cut.', source: protocol },
  {
    id: 'wire.pieces',
    text: 'A payload that arrives apart from its frame is used as it is, and what is made of a frame does not depend on its pieces.',
    source: protocol,
  },
  { id: 'wire.memory-follows-bytes', text: 'Memory grows with the bytes received, never with a length that was announced.', source: protocol },
  {
    id: 'wire.limits-before-decoding',
    text: 'Depth, elements, entries, keys, UTF-8 and extensions are checked before anything is decoded.',
    source: protocol,
  },
  { id: 'wire.sender-refuses', text: 'A value that the receiver would refuse is refused at the sender with INVALID_VALUE.', source: protocol },
  {
    id: 'wire.codecs-agree',
    text: 'Our codec and msgpackr behind the scan accept, refuse and make the same of every value and every frame.',
    source: protocol,
  },
  {
    id: 'wire.read-once',
    text: 'A value is read once when it is sent; getters, proxies and lying views never damage a frame, its batch or its session.',
    source: threats,
  },
  { id: 'wire.values-round-trip', text: 'Every allowed value arrives as it was sent, full 64-bit integers included.', source: protocol },
  {
    id: 'wire.unknown-kinds',
    text: 'An unknown kind below 64 is a protocol error; from 64 on it is ignored; extra trailing elements are ignored.',
    source: protocol,
  },
  { id: 'wire.never-crashes', text: 'No sequence of bytes throws out of the decoder, hangs it or ends the process.', source: threats },

  // Handshake
  { id: 'handshake.versions', text: 'The highest common version is taken; without one the reject says what is supported.', source: protocol },
  { id: 'handshake.required-features', text: 'A required feature that the other side lacks is a reject that names it.', source: 'paperclip #8036' },
  { id: 'handshake.bounded', text: 'Before welcome frames are small and time is short; nothing but hello is accepted.', source: protocol },
  { id: 'handshake.identity', text: 'A launched worker that claims another plugin or version is rejected.', source: protocol },

  // Session
  { id: 'session.settles-once', text: 'Every call settles exactly once, whatever dies and in whatever order.', source: protocol },
  { id: 'session.answers-once', text: 'The callee answers every request exactly once, even a cancelled one.', source: protocol },
  {
    id: 'session.deadline-crosses',
    text: 'Deadlines cross the border in both directions and are enforced on both sides.',
    source: 'mattermost #38354',
  },
  {
    id: 'session.cancel-crosses',
    text: 'Cancellation crosses the border in both directions; the caller settles at once.',
    source: 'mattermost #38354',
  },
  {
    id: 'session.progress-never-extends',
    text: 'Progress reaches the caller and never extends the total time limit.',
    source: 'MCP SDK #192, #2763',
  },
  { id: 'session.nested-cancel', text: 'A nested call names its parent, has the smaller budget and is cancelled with it.', source: protocol },
  { id: 'session.cycle-named', text: 'A cycle of nested calls is detected and named; it does not hang.', source: 'neovim #14451' },
  { id: 'session.concurrent-handlers', text: 'A slow handler delays neither other calls nor its own cancellation.', source: 'tower-mcp #1231' },
  { id: 'session.control-overtakes', text: 'Control messages overtake bulk data that waits for the transport or for credit.', source: protocol },
  { id: 'session.credit', text: 'Credit is overdrawn by at most one frame, in both directions, and grows only by the receiver.', source: protocol },
  {
    id: 'session.streams-both-ways',
    text: 'Items flow both ways on one call; leaving the loop cancels; the result is never an unhandled rejection.',
    source: readme,
  },
  { id: 'session.ack', text: 'Received messages are acknowledged within the bounds of count, bytes and time.', source: protocol },
  {
    id: 'session.drain',
    text: 'After drain no new call is taken, calls in flight and the nested ones they need end, then goodbye.',
    source: 'temporal #261',
  },
  {
    id: 'session.foreign-ids',
    text: 'Answers to unknown or foreign ids, and ids that repeat or have the wrong parity, are recorded protocol errors, never crashes.',
    source: threats,
  },
  { id: 'session.bounded-queues', text: 'Nothing queues without a bound; over it the caller gets a typed error.', source: protocol },
  {
    id: 'session.frame-too-large',
    text: 'A message over the frame limit is FRAME_TOO_LARGE to its caller, with the limit; the session goes on.',
    source: 'terraform #106',
  },
  { id: 'session.send-settles', text: 'A send that waits for the transport settles when the transport dies.', source: 'MCP SDK #2552' },
  { id: 'session.send-never-throws', text: 'No write to a worker can throw in the host, whatever state its pipe is in.', source: 'paperclip #7755' },
  {
    id: 'session.may-have-run',
    text: 'A call whose worker died says truly whether it may have run: false only if the frame never left the queue.',
    source: protocol,
  },
  {
    id: 'session.errors-cross',
    text: 'Every error code is the same code, with the same fields, on the other side of the wire.',
    source: 'docs/errors.md',
  },
  {
    id: 'session.outcomes-distinct',
    text: 'A caller can tell the outcomes of a call apart by code; a crash never looks like an answer.',
    source: 'mattermost #36414',
  },
  {
    id: 'session.simulation',
    text: 'Over a faulty connection and many seeds the invariants of the session hold, and a failing seed replays.',
    source: testing,
  },
  {
    id: 'session.resume',
    text: 'A lost connection is resumed within bounds, or followed by a clean fresh session; never limbo.',
    source: 'capnweb #58',
  },
  { id: 'session.generation-fencing', text: 'Messages of an older incarnation are refused.', source: protocol },
  { id: 'dialin.registers', text: 'A worker that dials in starts its plugin, is called, inspected and stopped as a launched one.', source: protocol },
  {
    id: 'dialin.tokens',
    text: 'A registration token is told once, spent once, expires and is revoked; whatever is wrong, the peer gets one answer, and the audit says what it was.',
    source: protocol,
  },
  { id: 'dialin.manifest', text: 'A dialled-in worker runs the installed manifest, or brings it where its token is for that.', source: protocol },
  {
    id: 'dialin.approval',
    text: 'A dialled-in worker needs the approval, the isolation and the state of its plugin that a launched one needs.',
    source: threats,
  },
  { id: 'dialin.gate-bounded', text: 'Connections before welcome are bounded in number, bytes and time, whoever floods.', source: threats },
  { id: 'dialin.gate-flood', text: 'However many say nothing and come back at once, a worker that says its hello gets in.', source: threats },
  {
    id: 'dialin.fresh-session',
    text: 'The latest worker whose session cannot go on begins anew; the plugin waits for the next worker without an operator.',
    source: protocol,
  },
  { id: 'dialin.stops-clean', text: 'A stopped host leaves no listener, connection, suspended worker or timer.', source: protocol },
  {
    id: 'dialin.controllers',
    text: 'A controller reaches what its token names, under limits, and every call of it is in the audit.',
    source: protocol,
  },
  {
    id: 'session.transfer',
    text: 'Binary data that is handed over is sent uncopied where the transport allows; any other is copied when it is sent.',
    source: protocol,
  },
  { id: 'dialin.patience', text: 'A worker that looks for its host stays alive, and says what is wrong.', source: readme },
  { id: 'dialin.readme', text: 'The remote workers of the README run, in TypeScript and Python, over unix: and wss:.', source: readme },
  { id: 'session.web-streams', text: 'Streams of calls can be read and fed as Web Streams, under the same credit.', source: 'docs/embedding.md' },
  { id: 'session.slow-reader', text: 'A worker that never reads, or reads a byte a second, is stopped with a named reason.', source: protocol },

  // Events
  { id: 'events.patterns', text: 'A `*` matches one segment of a topic and `**` the rest.', source: protocol },
  { id: 'events.order', text: 'Events of one publisher and topic arrive in order and at most once.', source: protocol },
  {
    id: 'events.slow-subscriber',
    text: 'A full subscriber loses the oldest events with a counted gap, or slows the publisher, by its own choice.',
    source: protocol,
  },
  {
    id: 'events.rebound',
    text: 'Subscriptions belong to the host and are bound again after a restart.',
    source: 'paperclip #10613',
    planned: 'supervision',
  },

  // Manifest
  {
    id: 'manifest.host-dialects',
    text: 'Every form of manifest that the host project and its plugins use is accepted as it stands.',
    source: manifest,
  },
  {
    id: 'manifest.all-problems',
    text: 'All problems are reported at once, each with code, JSON Pointer, line, column and the repair.',
    source: manifest,
  },
  { id: 'manifest.did-you-mean', text: 'An unknown field is a warning, an unknown capability an error; both name the nearest.', source: manifest },
  {
    id: 'manifest.legacy-permissions',
    text: 'Legacy permissions become requests by the written table, with warnings that say what they became.',
    source: manifest,
  },
  {
    id: 'manifest.bounded',
    text: 'No document aborts the process: size and nesting before parsing, aliases and duplicate keys refused.',
    source: threats,
  },
  { id: 'manifest.entry-stays-inside', text: "An entry point does not leave the plugin's folder, by text or by symlink.", source: threats },
  { id: 'manifest.env-loads-no-code', text: 'Environment entries that load code are refused.', source: threats },
  { id: 'manifest.version-grammar', text: "Version constraints follow the host's grammar and semantics.", source: manifest },
  {
    id: 'manifest.config',
    text: 'Config is validated against every dialect of config_schema; defaults are filled, secrets are marked.',
    source: manifest,
  },
  { id: 'manifest.schema-file', text: 'The checked-in JSON Schema is the one that validates.', source: manifest },

  // Capabilities and policy
  { id: 'policy.nothing-by-default', text: 'Without a rule that allows it nothing is granted; deny wins.', source: readme },
  { id: 'policy.plan', text: 'A plan says for each request whether it is granted, denied or needs approval, and by which rule.', source: readme },
  { id: 'policy.decide-laws', text: 'Decisions keep the laws: never wider than the grants, monotone, deterministic, and explained.', source: readme },
  {
    id: 'policy.scope-algebra',
    text: 'Scopes cover and narrow correctly: no prefix, pattern or encoding reaches beyond what was granted.',
    source: threats,
  },
  { id: 'policy.trust-from-operator', text: "Trust comes from the operator, never from the manifest's own words.", source: readme },
  {
    id: 'policy.approval-required',
    text: 'A start that needs approval rejects with APPROVAL_REQUIRED and carries the plan; approval makes it start.',
    source: readme,
  },
  {
    id: 'policy.denial-explains',
    text: 'A denial names the capability, the missing scope and the decision id; the rule stands in the audit only.',
    source: readme,
  },
  {
    id: 'policy.start-up-proof',
    text: 'Start-up fails on a method without a guard and on a capability that guards nothing.',
    source: 'agent-of-empires #2090',
  },
  { id: 'policy.one-door', text: 'Every request of a plugin passes the broker, and nothing else decides.', source: readme },
  { id: 'policy.grants-expire', text: 'An expired grant denies the next call.', source: readme },
  {
    id: 'policy.pinned-to-digest',
    text: 'Grants hold for the digest that was approved; an update shows the difference.',
    source: 'daintree #10517',
    planned: 'approval and audit',
  },
  {
    id: 'policy.revoke',
    text: 'A revoke is felt by the next call and by every open stream; all live grants can be seen.',
    source: 'openworker #620',
    planned: 'approval and audit',
  },
  { id: 'policy.learn', text: 'The least grants are proposed from a recorded run.', source: readme, planned: 'approval and audit' },
  { id: 'audit.decisions', text: 'Every denial and every decision on a call stands in the audit with its reason and the plugin.', source: readme },
  { id: 'audit.redacted', text: 'Secrets, payloads and control characters do not reach the audit or the logs.', source: threats },
  { id: 'audit.tamper-evident', text: 'A changed or missing record of the audit is found.', source: readme, planned: 'approval and audit' },

  // Launching
  {
    id: 'launch.env-allow-list',
    text: "A worker sees an allow-listed environment only, never the host's secrets.",
    source: 'grafana #74316, go-plugin #103',
  },
  { id: 'launch.prints-become-logs', text: 'Whatever a plugin prints becomes log lines and never disturbs the protocol.', source: 'go-plugin #199' },
  { id: 'launch.long-lines-cut', text: 'Long log lines are bounded and marked as cut; reading goes on.', source: 'go-plugin #98, #265' },
  {
    id: 'launch.process-group',
    text: 'Stop and kill reach the whole process group: no child of the worker is left.',
    source: 'MCP SDK #2002, #2596',
  },
  { id: 'launch.ends-with-host', text: 'A worker ends when its host is killed.', source: 'MCP SDK #2002' },
  { id: 'launch.never-a-stranger', text: 'A process that has ended is never signalled again.', source: 'go-plugin #320' },
  { id: 'launch.exact-descriptors', text: 'Descriptor 3 carries the protocol; no other descriptor of the host reaches the worker.', source: threats },
  {
    id: 'launch.transactional-start',
    text: 'A start that fails half-way leaves nothing behind and does not block the next one.',
    source: 'paperclip #2829',
  },
  { id: 'launch.plain-stdio', text: 'A worker may have the protocol on standard input and output; what it prints is log still.', source: protocol },
  {
    id: 'launch.stray-output',
    text: 'Text on a standard output that carries the protocol ends the worker for a reason that quotes the text.',
    source: protocol,
  },
  { id: 'launch.limits-named', text: 'The start limit is configurable, and named in the error.', source: 'NeMo-Relay #539' },

  // Lifecycle
  { id: 'lifecycle.worker-table', text: 'The worker table answers every event in every state; its diagram is generated from it.', source: lifecycle },
  { id: 'lifecycle.plugin-table', text: 'The plugin table answers every event in every state; its diagram is generated from it.', source: lifecycle },
  {
    id: 'lifecycle.named-reason',
    text: 'Every plugin and worker that is not ready has a named reason and a next action.',
    source: 'agent-of-empires #2769',
  },
  {
    id: 'lifecycle.last-words',
    text: 'Exit code, signal and the tail of stderr are in the error and the audit.',
    source: 'agent-of-empires #1945, vscode #80165',
  },
  { id: 'lifecycle.dead-channel', text: 'A worker whose process lives but whose channel is dead is found and ended.', source: 'paperclip #8202' },
  { id: 'lifecycle.missed-heartbeat', text: 'A worker that misses its heartbeat is ended; a busy one is not.', source: lifecycle },
  { id: 'lifecycle.stop-ladder', text: 'Stop drains, then closes, then SIGTERM, then SIGKILL, each after its own time.', source: lifecycle },
  { id: 'lifecycle.failures-isolated', text: 'The crash of one plugin does not touch the calls of another.', source: 'dify #336, #368' },
  {
    id: 'lifecycle.restart',
    text: 'Crashed workers are restarted with backoff within an intensity, then quarantined.',
    source: 'go-plugin #31',
    planned: 'supervision',
  },
  { id: 'lifecycle.stable-reset', text: 'The crash count resets only after a stable period.', source: 'mattermost #14088', planned: 'supervision' },
  {
    id: 'lifecycle.bounded-starts',
    text: 'Starts run in parallel within a bound; one slow plugin delays nobody.',
    source: 'dify #336',
    planned: 'supervision',
  },
  { id: 'lifecycle.debug-suspends', text: 'A paused debugger does not get the plugin killed.', source: 'mattermost', planned: 'supervision' },
  {
    id: 'lifecycle.replacement',
    text: 'A worker is replaced without losing a call, and rolled back on failure.',
    source: readme,
    planned: 'supervision',
  },
  {
    id: 'isolation.report',
    text: 'What is enforced, advisory and absent is reported limit by limit; too weak a level is refused.',
    source: readme,
    planned: 'isolation',
  },
  {
    id: 'isolation.one-manifest',
    text: 'The same grants hold at the call, in the token, in the egress proxy and in the kernel.',
    source: readme,
    planned: 'isolation',
  },
  { id: 'isolation.no-survivor', text: 'In a sandbox nothing survives the stop, double forks included.', source: threats, planned: 'isolation' },
  {
    id: 'identity.one-model',
    text: 'Spawned, dialled-in, remote and in-thread workers have one identity model.',
    source: 'go-plugin #294, #211, #124',
  },

  // Host
  {
    id: 'host.first-result',
    text: "The README's first snippet works: install, start, typed call, stream with result, events, notifications, stop.",
    source: readme,
  },
  { id: 'host.install-idempotent', text: 'Installing the same folder again is the same plugin; installing starts nothing.', source: readme },
  { id: 'host.handle-survives', text: 'A plugin handle stays valid after its worker has ended and started again.', source: readme },
  { id: 'host.listener-harmless', text: 'A listener that throws is logged and harms nobody.', source: readme },
  { id: 'host.stop-leaves-nothing', text: 'After stop no process, timer, descriptor or pending promise is left.', source: readme },
  { id: 'host.limits-by-trust', text: 'Concurrency and time limits follow the trust tier.', source: readme },

  // In memory and in threads
  { id: 'memory.faults', text: 'Under any combination of faults a memory connection delivers a prefix in order and ends once.', source: testing },
  { id: 'memory.fence', text: 'Nothing of a side that was fenced off arrives any more, and nobody is told.', source: testing },
  { id: 'memory.transport', text: 'A memory transport dials and listens by names that it alone knows.', source: testing },
  {
    id: 'thread.worker',
    text: 'A plugin in a thread is installed, started, called, streamed from and stopped, and is labelled as not isolated.',
    source: lifecycle,
  },
  { id: 'thread.surroundings', text: 'A thread has an environment from an allow-list and nothing that the host was started with.', source: threats },
  { id: 'thread.death', text: 'The end of a thread is the loss of its calls, with exit code and last words; the host lives on.', source: lifecycle },
  { id: 'thread.limits', text: 'A thread that hoards memory is ended by its limits, says so, and the host lives on.', source: lifecycle },
  { id: 'thread.no-isolation', text: 'A thread is refused to a manifest that wants isolation.', source: threats },
  { id: 'thread.posts', text: 'Small frames of one send are one post, and the memory of the sender stays its own.', source: protocol },
  { id: 'thread.transfer', text: 'A buffer that was handed over moves to the other thread uncopied.', source: protocol },
  { id: 'thread.window', text: 'No more than a window is under way to a thread that does not confirm it.', source: protocol },
  {
    id: 'thread.hostile-posts',
    text: 'Whatever a thread posts that is no post ends its connection with a reason, and nothing else.',
    source: threats,
  },

  // Plugin authors
  { id: 'plugin.context', text: 'A handler has config, logger, events, progress, cancellation, deadline, grants and draining.', source: readme },
  {
    id: 'plugin.typed-errors',
    text: "An author's error arrives as HANDLER_ERROR with its own code; the stack only in debug.",
    source: 'docs/errors.md',
  },
  { id: 'plugin.contract-validated', text: 'Params and results are validated by the contract: INVALID_PARAMS and INVALID_RESULT.', source: readme },
  {
    id: 'plugin.load-hooks',
    text: 'on_load and on_unload run within their limits; a failing on_load is the reason of the failed start.',
    source: readme,
  },
  { id: 'plugin.no-channel', text: 'Run by hand, a plugin says what it is and how to run it, and exits with 2.', source: readme },
  { id: 'plugin.kinds-typescript', text: 'A Node channel and a Node model provider mirror the Java plugin API.', source: protocol },
  {
    id: 'plugin.kinds-python',
    text: 'A Python channel receives and sends a message; a Python model provider completes and streams.',
    source: protocol,
  },
  { id: 'python.io-thread', text: 'While a Python handler spins, pings are answered and a cancel is noted.', source: readme },
  { id: 'python.denial', text: 'In Python a denial is an exception with capability, scope and decision id.', source: readme },
  {
    id: 'python.dial-in',
    text: 'A Python worker dials in over a Unix socket or TLS, says who it is, and never tells its token to a stranger.',
    source: readme,
  },
  {
    id: 'python.resume',
    text: 'A Python worker that lost its connection resumes with every message exactly once, or begins anew in the same process.',
    source: protocol,
  },
  { id: 'python.stdio', text: 'On plain stdio nothing that a Python plugin or its children print or read meets the protocol.', source: protocol },
  { id: 'python.window', text: 'The Python receiver grows its windows to 16 MiB, and no further.', source: protocol },
  { id: 'python.vectors', text: 'The Python codec passes the golden vectors.', source: protocol },

  // Unit testers
  { id: 'testing.test-host', text: 'createTestHost runs fake plugins without processes and without sleeping.', source: testing },
  {
    id: 'testing.faults',
    text: 'Faults crash before or after sending, stall, deny and drop, and the caller sees the true outcome.',
    source: testing,
  },
  { id: 'testing.clock', text: 'clock.advance settles everything that was due, microtasks included.', source: testing },
  { id: 'testing.leak-fails', text: 'The disposer of a test host fails the test on a leaked call, stream or timer.', source: testing },
  { id: 'testing.test-plugin', text: 'testPlugin runs a plugin alone, with config, grants and fake services, and records denials.', source: testing },
  {
    id: 'testing.transport-suite',
    text: 'testTransport finds a transport that breaks a promise of the contract, and names the promise.',
    source: testing,
  },
  {
    id: 'testing.custom-transport',
    text: 'A transport over a bus with a payload limit and no sign of death passes the suite, and ends rather than live on with a hole.',
    source: testing,
  },
  { id: 'testing.record-replay', text: 'A recorded session replays as a test.', source: testing, planned: 'conformance' },

  // Command line
  { id: 'cli.validate', text: 'validate runs the code of install: same problems, JSON with pointers and lines, exit 0, 1 and 2.', source: readme },
  { id: 'cli.run', text: 'run starts a plugin, calls a method, prints the result or the named error, and leaves nothing running.', source: readme },
  {
    id: 'cli.conformance',
    text: 'One command checks a worker in any language against the protocol.',
    source: 'go-plugin #27',
    planned: 'conformance',
  },

  // The demo
  {
    id: 'demo.denial-in-audit',
    text: 'The demo streams a summary through two plugins and shows a denial with its reason; exit 0, nothing left.',
    source: readme,
  },
  { id: 'demo.without-python', text: 'Where Python is missing the demo says so and runs the TypeScript twin.', source: readme },

  // The package
  { id: 'package.layers', text: 'Every import rule of the architecture is enforced.', source: 'CONTRIBUTING.md' },
  { id: 'package.neutral-entries', text: 'No file of a neutral entry names a Node module.', source: 'CONTRIBUTING.md' },
  {
    id: 'package.one-copy',
    text: 'A class is the same in all entries of a format; errors are recognised across formats.',
    source: 'CONTRIBUTING.md',
  },
  {
    id: 'package.leak-guard',
    text: 'A test that leaves a process, a timer, a socket, a file or an unhandled rejection behind fails.',
    source: 'CONTRIBUTING.md',
  },

  // Transports
  {
    id: 'unix.private',
    text: 'A Unix socket is reached by its user only; planted files, links and live sockets are left alone, stale ones replaced.',
    source: threats,
  },
  { id: 'unix.dial', text: 'A Unix socket is dialled only where it is one, and belongs to somebody who is trusted.', source: threats },
  {
    id: 'websocket.hostile',
    text: 'Text, compression, fragments, oversized messages, silence, floods and foreign origins end a WebSocket at a bounded cost.',
    source: threats,
  },
  { id: 'websocket.attached', text: 'On a server that has other work a WebSocket listener disturbs none of it.', source: protocol },
  { id: 'websocket.secure', text: 'Beyond this machine a WebSocket is encrypted, and its certificate checked.', source: protocol },

  // The benchmark
  { id: 'bench.json', text: 'The benchmark prints its results as JSON in the documented shape.', source: performance },
  {
    id: 'bench.ratios',
    text: 'Medians are compared with the better raw limit and the fastest peer; what was not measured is no figure.',
    source: performance,
  },
  { id: 'bench.misses-named', text: 'A line of the table of least performance that is missed is named, with what was reached.', source: performance },
  { id: 'bench.reaped', text: 'What the benchmark started and gives no answer in time is ended, and nothing of it is left.', source: performance },
  { id: 'bench.unknown-name', text: 'A name that the benchmark does not know is refused, with those that it knows.', source: performance },
];
