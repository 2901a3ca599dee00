import { randomBytes } from 'node:crypto';
import { storeContract } from '../../contract/store.ts';
import { openTestStore } from '../../support/store.ts';

storeContract('SQLite', () => openTestStore());
storeContract('SQLite with a data key', () => openTestStore(randomBytes(32)));
