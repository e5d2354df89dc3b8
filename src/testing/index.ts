/**
 * Test hosts, fakes and faults: for the tests of what uses plugins, and of plugins themselves; and the conformance suite for transports. Works with every test
 * runner, since it knows none.
 *
 * @packageDocumentation
 */
export type { CloseReason, Connection, ConnectionHandlers, ConnectionPeer, Transport, TransportListener } from '../interfaces/transport.js';
export { type CapabilityWish, type FakePlugin, type FakePluginOptions, fakePlugin } from './fake-plugin.js';
export type { CrashFault, MethodFault, PluginFaults } from './faults.js';
export type { Denial, LoggedLine, PublishedEvent, ReportedProgress, ServiceStub } from './plugin-records.js';
export { type RunOptions, SimulatedClock, type SimulatedClockOptions } from './simulated-clock.js';
export { createSimulatedPlatform, type SimulatedPlatform, type SimulatedPlatformOptions } from './simulated-platform.js';
export { createTestHost, type TestHost, type TestHostOptions } from './test-host.js';
export { type TestPlugin, type TestPluginOptions, testPlugin } from './test-plugin.js';
export type { TestRunner } from './test-runner.js';
export { type TestTransportOptions, testTransport } from './test-transport.js';
export type { TransportCapabilities, TransportFactory, TransportFixture, TransportPair } from './transport-fixture.js';
