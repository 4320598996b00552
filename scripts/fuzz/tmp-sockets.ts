import { fuzzSocketClient, fuzzSocketUpstream } from './http-sockets.js';
import { HttpWorld } from './http-world.js';
import { Dice, fuzzInTurn } from './mutation.js';
const world = new HttpWorld(); await world.open();
let n = 0;
const report = await fuzzInTurn(async (seed) => { n += 1; if (n % 500 === 0) await world.renew(); await (seed % 2 === 0 ? fuzzSocketClient : fuzzSocketUpstream)(world, new Dice(seed)); const broken = world.logged.find((l) => l.includes('internal error')); if (broken !== undefined) throw new Error(broken); }, { seconds: 180, seed: 50_000 });
console.log(JSON.stringify(report)); await world.close();
