// mqtt.js against a broker: QoS 0 to 2, retained messages, Wills and properties, in both versions, and SCRAM-SHA-256 for
// the user `ann` with the password `touchstone`. Needs the package mqtt, 5.x. Arguments: the broker's URL, and for TLS the file of its certificate.

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const mqtt = require("mqtt");

const [url, certificate] = process.argv.slice(2);
const ca = certificate && fs.readFileSync(certificate);

/** A connected client whose messages can be waited for. */
class Client {
  static async connect(clientId, version, options = {}) {
    const client = new Client();
    client.messages = [];
    client.waiting = [];
    client.mqtt = await mqtt.connectAsync(url, {
      clientId,
      protocolVersion: version,
      reconnectPeriod: 0,
      ca,
      ...options,
    }, false);
    client.mqtt.on("message", (topic, payload, packet) => {
      const message = { ...packet, topic, payload: payload.toString() };
      const waiting = client.waiting.shift();
      if (waiting) waiting(message);
      else client.messages.push(message);
    });
    return client;
  }

  receive() {
    const message = this.messages.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => this.waiting.push(resolve));
  }

  leave() {
    return this.mqtt.endAsync();
  }
}

async function eachQoS(version) {
  const subscriber = await Client.connect("subscriber", version);
  const publisher = await Client.connect("publisher", version);
  await subscriber.mqtt.subscribeAsync("qos/#", { qos: 2 });
  for (const qos of [0, 1, 2]) {
    for (let number = 0; number < 50; number++) {
      await publisher.mqtt.publishAsync(`qos/${qos}`, `${number}`, { qos });
    }
    for (let number = 0; number < 50; number++) {
      const got = await subscriber.receive();
      assert.deepEqual([got.topic, got.payload, got.qos, got.retain], [`qos/${qos}`, `${number}`, qos, false]);
    }
  }
  await publisher.leave();
  await subscriber.leave();
}

async function retained(version) {
  const publisher = await Client.connect("publisher", version);
  await publisher.mqtt.publishAsync("kept/a", "old", { qos: 1, retain: true });
  await publisher.mqtt.publishAsync("kept/a", "new", { qos: 2, retain: true });
  const subscriber = await Client.connect("subscriber", version);
  await subscriber.mqtt.subscribeAsync("kept/+", { qos: 2 });
  let got = await subscriber.receive();
  assert.deepEqual([got.payload, got.retain], ["new", true]);
  await publisher.mqtt.publishAsync("kept/a", "", { qos: 1, retain: true });
  got = await subscriber.receive();
  assert.deepEqual([got.payload, got.retain], ["", false]);
  await publisher.leave();
  await subscriber.leave();
}

async function wills(version) {
  const witness = await Client.connect("witness", version);
  await witness.mqtt.subscribeAsync("gone", { qos: 2 });
  const will = (payload) => ({ will: { topic: "gone", payload: Buffer.from(payload), qos: 2, retain: false } });
  const orderly = await Client.connect("orderly", version, will("orderly"));
  await orderly.leave();
  const dying = await Client.connect("dying", version, will("dying"));
  dying.mqtt.on("error", () => {});
  dying.mqtt.stream.destroy();
  const got = await witness.receive();
  assert.equal(got.payload, "dying");
  await witness.leave();
}

async function properties() {
  const subscriber = await Client.connect("subscriber", 5, { properties: { topicAliasMaximum: 5 } });
  await subscriber.mqtt.subscribeAsync("p", { qos: 1, properties: { subscriptionIdentifier: 7 } });
  const publisher = await Client.connect("publisher", 5);
  const sent = {
    contentType: "text/plain",
    responseTopic: "answers",
    correlationData: Buffer.from([1, 2]),
    messageExpiryInterval: 600,
    userProperties: { b: "1", a: ["2", "3"] },
  };
  for (let time = 0; time < 2; time++) {
    await publisher.mqtt.publishAsync("p", "x", { qos: 1, properties: sent });
    // The second one comes by its Topic Alias alone.
    const { topic, properties: got } = await subscriber.receive();
    assert.equal(topic, "p");
    assert.equal(got.contentType, "text/plain");
    assert.equal(got.responseTopic, "answers");
    assert.deepEqual([...got.correlationData], [1, 2]);
    assert.equal(got.subscriptionIdentifier, 7);
    assert.ok(got.messageExpiryInterval > 590 && got.messageExpiryInterval <= 600);
    assert.deepEqual({ ...got.userProperties }, { b: "1", a: ["2", "3"] });
  }
  await publisher.leave();
  await subscriber.leave();
}

/** The client's side of SCRAM-SHA-256, from RFC 5802 and RFC 7677 alone. */
class Scram {
  constructor(user, password) {
    this.password = password;
    this.nonce = crypto.randomBytes(18).toString("base64");
    this.bare = `n=${user},r=${this.nonce}`;
    this.first = Buffer.from(`n,,${this.bare}`);
  }

  final(challenge) {
    const { r: nonce, s: salt, i: iterations } = attributes(challenge);
    assert.ok(nonce.startsWith(this.nonce) && nonce.length > this.nonce.length);
    const hmac = (key, text) => crypto.createHmac("sha256", key).update(text).digest();
    const salted = crypto.pbkdf2Sync(this.password, Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
    const clientKey = hmac(salted, "Client Key");
    const storedKey = crypto.createHash("sha256").update(clientKey).digest();
    const bare = `c=${Buffer.from("n,,").toString("base64")},r=${nonce}`;
    const authMessage = `${this.bare},${challenge},${bare}`;
    const signature = hmac(storedKey, authMessage);
    const proof = clientKey.map((byte, at) => byte ^ signature[at]);
    this.verifier = hmac(hmac(salted, "Server Key"), authMessage).toString("base64");
    return Buffer.from(`${bare},p=${proof.toString("base64")}`);
  }

  /** The server has shown that it knows the password, too. */
  check(outcome) {
    assert.deepEqual(attributes(outcome), { v: this.verifier });
  }
}

/** What stands in a message of SCRAM, by its letters. */
function attributes(message) {
  return Object.fromEntries(message.toString().split(",").map((part) => [part[0], part.slice(2)]));
}

/** Connects as `ann` by SCRAM-SHA-256: CONNECT, AUTH, AUTH, CONNACK. */
function authenticate(password) {
  const scram = new Scram("ann", password);
  const method = { authenticationMethod: "SCRAM-SHA-256" };
  const client = mqtt.connect(url, {
    clientId: "ann",
    protocolVersion: 5,
    reconnectPeriod: 0,
    ca,
    properties: { ...method, authenticationData: scram.first },
  });
  client.handleAuth = (packet, answer) => {
    assert.equal(packet.reasonCode, 0x18);
    assert.equal(packet.properties.authenticationMethod, method.authenticationMethod);
    const data = scram.final(packet.properties.authenticationData);
    const properties = { ...method, authenticationData: data };
    answer(undefined, { cmd: "auth", reasonCode: 0x18, properties });
  };
  return new Promise((resolve, reject) => {
    client.on("connect", ({ properties }) => resolve({ client, scram, properties }));
    client.on("error", (error) => {
      client.end(true);
      reject(error);
    });
  });
}

async function scram() {
  const { client, scram, properties } = await authenticate("touchstone");
  scram.check(properties.authenticationData);
  await client.publishAsync("t", "x", { qos: 1 });
  await client.endAsync();
  await assert.rejects(authenticate("goldsmith"), { code: 0x87 });
}

async function all() {
  for (const version of [4, 5]) {
    await eachQoS(version);
    await retained(version);
    await wills(version);
  }
  await properties();
  await scram();
}

all().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
