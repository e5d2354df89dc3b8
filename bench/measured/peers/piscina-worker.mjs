import { move } from 'piscina';

/** @param {unknown} params */
export const echo = (params) => params;

/** @param {Uint8Array} bytes @returns {unknown} */
export const binary = (bytes) => move(bytes);
