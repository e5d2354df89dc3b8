export { builtinCapabilities } from '../src/capabilities/builtin-capabilities.js';
export { createCatalogue } from '../src/capabilities/catalogue.js';
export { compileGrants } from '../src/policy/compile-grants.js';
export { decide } from '../src/policy/decide.js';
