// A SMART app: launched with a patient in hand, or alone; it reads Observations and draws each of their codes.
// SMART App Launch 2.2 (https://hl7.org/fhir/smart-app-launch/app-launch.html), authorization code with PKCE.

const CLIENT = 'trends'
const READS = 'openid fhirUser patient/Patient.rs patient/Observation.rs'
const here = new URL('.', location.href).href
const asked = new URLSearchParams(location.search)

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)))

async function json(address, options) {
  const answer = await fetch(address, options)
  if (!answer.ok) throw new Error(`${new URL(address).pathname}: ${answer.status}`)
  return answer.json()
}

async function authorize(iss, launch) {
  const server = await json(`${iss}/.well-known/smart-configuration`)
  const verifier = random(), state = random()
  sessionStorage.setItem(state, JSON.stringify({ iss, verifier, token: server.token_endpoint }))
  const challenge = base64url(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier)))
  const query = new URLSearchParams({
    response_type: 'code', client_id: CLIENT, redirect_uri: here, state, aud: iss,
    scope: `${launch ? 'launch' : 'launch/patient'} ${READS}`,
    code_challenge: challenge, code_challenge_method: 'S256', ...(launch && { launch }),
  })
  location.replace(`${server.authorization_endpoint}?${query}`)
}

async function arrive(code, state) {
  const { iss, verifier, token } = JSON.parse(sessionStorage.getItem(state) ?? '{}')
  if (!iss) throw new Error('This answer belongs to no question of this page.')
  sessionStorage.removeItem(state)
  const body = new URLSearchParams({
    grant_type: 'authorization_code', code, redirect_uri: here, client_id: CLIENT, code_verifier: verifier,
  })
  const given = await json(token, { method: 'POST', body })
  history.replaceState(null, '', here)
  const read = (path) => json(`${iss}/${path}`, { headers: { Authorization: `Bearer ${given.access_token}` } })
  await show(read, given)
}

async function show(read, { patient, encounter }) {
  const [person, found] = await Promise.all([
    read(`Patient/${patient}`),
    read(`Observation?patient=${patient}&_sort=-date&_count=200`),
  ])
  const name = person.name?.[0] ?? {}
  say('title', [...(name.given ?? []), name.family].join(' ') || 'No name')
  const facts = [person.birthDate && `born ${person.birthDate}`, encounter && 'opened from a visit']
  say('said', facts.filter(Boolean).join(' · '))
  const series = Map.groupBy(values(found), (one) => one.name)
  document.getElementById('plots').replaceChildren(...[...series.values()].map(plot))
  if (!series.size) say('none', 'There are no measurements.')
}

function values(bundle) {
  const matches = (bundle.entry ?? []).map((entry) => entry.resource)
  return matches.flatMap((one) =>
    [one, ...(one.component ?? [])]
      .filter((part) => part.valueQuantity && one.effectiveDateTime)
      .map((part) => ({
        name: part.code.text ?? part.code.coding?.[0]?.display ?? '?',
        at: Date.parse(one.effectiveDateTime),
        value: Number(part.valueQuantity.value),
        unit: part.valueQuantity.unit ?? '',
      })),
  )
}

function plot(points) {
  const line = points.toSorted((a, b) => a.at - b.at), last = line.at(-1)
  const made = document.createElement('figure')
  const title = document.createElement('figcaption')
  title.append(last.name, Object.assign(document.createElement('span'), { textContent: `${last.value} ${last.unit}` }))
  const since = document.createElement('small')
  since.textContent = `${line.length} since ${new Date(line[0].at).toISOString().slice(0, 10)}`
  made.append(title, drawing(line), since)
  return made
}

function drawing(line) {
  const name = 'http://www.w3.org/2000/svg'
  const svg = document.createElementNS(name, 'svg'), path = document.createElementNS(name, 'polyline')
  svg.setAttribute('viewBox', '-2 -2 104 44')
  svg.setAttribute('preserveAspectRatio', 'none')
  svg.setAttribute('role', 'img')
  svg.setAttribute('aria-label', line.map((one) => one.value).join(', '))
  const [first, last] = [line[0].at, line.at(-1).at]
  const low = Math.min(...line.map((one) => one.value)), high = Math.max(...line.map((one) => one.value))
  const x = (at) => (last > first ? (100 * (at - first)) / (last - first) : 50)
  const y = (value) => (high > low ? 40 - (40 * (value - low)) / (high - low) : 20)
  path.setAttribute('points', line.map((one) => `${x(one.at).toFixed(1)},${y(one.value).toFixed(1)}`).join(' '))
  svg.append(path)
  return svg
}

const say = (id, text) => { document.getElementById(id).textContent = text }

async function main() {
  if (asked.has('error')) throw new Error(asked.get('error_description') ?? asked.get('error'))
  if (asked.has('code')) return arrive(asked.get('code'), asked.get('state'))
  const { iss } = await json(new URL('server.json', here).href)
  return authorize(asked.get('iss') ?? iss, asked.get('launch'))
}

main().catch((error) => { say('title', 'This did not work'); say('said', error.message) })
