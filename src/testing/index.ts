/**
 * Test hosts, fakes and faults.
 *
 * @packageDocumentation
 */
export {};
