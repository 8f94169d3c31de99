import Foundation
import RolesAnywhereNative

/// Plays one scenario; `tests/vectors/README.md` describes its format.
final class Scenario {
    private let json: JSON
    private let provider: Provider
    private let start: Int64
    private let serviceAhead: Int64
    /// Milliseconds since the start: true time, by which the service's clock runs.
    private var now: Int64 = 0
    private var setBy: Int64 = 0
    private var slept: Int64 = 0
    private var actions: [String: Action] = [:]
    private var notes: Set<String> = []
    private var stored: [String: Data] = [:]
    private var step = 0

    private static let role = "arn:aws:iam::123456789012:role/reader"
    private static let identity = Result {
        try LocalIdentity.read(
            certificate: file("leaf.pem"), privateKey: file("key.pem"), intermediates: Data(), password: Data(), hasPassword: false
        )
    }

    init(_ json: JSON, seed: UInt64) throws {
        let region = "arn:aws:rolesanywhere:eu-west-1:123456789012"
        let call = try CreateSession(
            parameters: CallParameters(
                trustAnchorArn: "\(region):trust-anchor/0d1c5b6e-0000-4000-8000-000000000000",
                profileArn: "\(region):profile/7f3a2c11-0000-4000-8000-000000000000", roleArn: json["role"].text ?? Self.role,
                region: nil, endpoint: nil, fips: false, dualStack: false, durationSeconds: nil, roleSessionName: nil,
                instanceProperties: [:], arnsInBody: false, plainHttp: false
            )
        )
        func milliseconds(_ value: JSON) -> UInt64? { value.number.map { UInt64($0 * 1000) } }
        let policy = json["policy"]
        let known: Set = ["attempts", "attempt_timeout"]
        guard known.isSuperset(of: (policy.object ?? [:]).keys) else { throw Failed("the policy is not known: \(policy)") }
        let sharing = json["sharing"].object.map { _ in
            Sharing(
                hasLock: json["sharing"]["lock"].isTrue, propagation: milliseconds(json["sharing"]["propagation"]) ?? 0,
                coldSpread: milliseconds(json["sharing"]["cold_spread"]) ?? 0, identity: json["sharing"]["identity"].text
            )
        }
        self.json = json
        provider = Provider(
            call: call,
            policy: Policy(attempts: policy["attempts"].number.map { UInt32($0) }, attemptTimeout: milliseconds(policy["attempt_timeout"])),
            sharing: sharing, machine: json["machine"].text, countsSleep: json["monotonic_counts_sleep"].isTrue, seed: seed
        )
        guard let start = ISO8601DateFormatter().date(from: json["start"].text ?? "2026-11-27T12:00:00Z") else {
            throw Failed("`start` is no time")
        }
        self.start = Int64(start.timeIntervalSince1970) * 1000
        serviceAhead = Int64(json["service_ahead"].number ?? 0) * 1000
    }

    func play() throws {
        for next in json["steps"].list ?? [] {
            step += 1
            let at = Int64(((next["at"].number ?? 0) * 1000).rounded())
            try check(at >= now, "`at` runs backwards")
            now = at
            try take(next)
        }
        try check(step > 0, "there are no steps")
    }

    private func take(_ step: JSON) throws {
        if let by = step["clock_set_by"].number {
            setBy += Int64(by * 1000)
        } else if let time = step["slept"].number {
            slept += Int64(time * 1000)
        } else if let expected = step["ask"].text {
            try ask(expected, step)
        } else if let kind = step["event"].text {
            try event(kind, step)
        } else if let expected = step["actions"].list {
            try expect(expected)
        } else if step["renew"].object != nil {
            try renew(step["renew"])
        } else if let kinds = step["notes"].list {
            for kind in kinds { try check(notes.contains(kind.text ?? ""), "no note `\(kind)` in \(notes)") }
            notes = []
        } else {
            throw failed("the step says nothing")
        }
    }

    // MARK: - Clocks and checks

    private var clocks: Reading {
        let monotonic = UInt64(now - slept + 1_000_000_000)
        return Reading(wall: start + now + setBy, monotonic: json["monotonic"].isFalse ? nil : monotonic)
    }

    /// The service's clock, in seconds.
    private var service: Int64 { (start + serviceAhead + now) / 1000 }

    private func failed(_ words: String) -> Failed {
        Failed("step \(step) at \(Double(now) / 1000) s: \(words); the last error: \(provider.error()?.message() ?? "none")")
    }

    private func check(_ holds: Bool, _ words: @autoclosure () -> String) throws {
        if !holds { throw failed(words()) }
    }

    private func within(_ what: String, _ milliseconds: Int64, _ expected: JSON) throws {
        let range = expected.list?.compactMap(\.number) ?? expected.number.map { [$0, $0] } ?? []
        guard let low = range.first, let high = range.last else { return }
        let value = Double(milliseconds) / 1000
        try check((low - 0.001...high + 0.001).contains(value), "\(what) is \(value) s, expected \(range)")
    }

    // MARK: - Steps

    private func ask(_ expected: String, _ step: JSON) throws {
        let advice = provider.ask(now: clocks)
        try check(advice.kind == expected, "the advice is `\(advice.kind)`, expected `\(expected)`")
        switch advice {
        case let .use(session, window), let .useAndDrive(session, window):
            try within("the advice", window.until - clocks.wall, step["for"])
            try check(provider.validFor(now: clocks) > 0, "used, and not valid")
            if let name = step["credentials"].text {
                let held = session.parts().accessKeyId
                try check(held == name, "the credentials are `\(held)`, expected `\(name)`")
            }
        case let .wait(atMost): try within("the advice", Int64(atMost), step["for"])
        case let .fail(_, againAfter): try within("the advice", Int64(againAfter), step["for"])
        case .drive: try within("the advice", 0, step["for"])
        }
        try within("the validity", Int64(provider.validFor(now: clocks)), step["ends_in"])
        let error = provider.error()
        try check(expected != "fail" || error != nil, "there is no error")
        if let code = step["error"].text {
            let kind = try Self.kind(code)
            try check(error?.kind() == kind, "another error than `\(code)`")
        }
        for words in step["says"].list ?? [] {
            try check(error?.message().contains(words.text ?? "?") == true, "the error does not say `\(words)`")
        }
    }

    private func poll() throws -> Action? {
        while let action = provider.poll(now: clocks) {
            switch action {
            case let .note(kind, _, message):
                try check(!message.contains("secret"), message)
                notes.insert(kind)
                continue
            case let .store(_, key, entry, _, _):
                try check(key.count == 64, "the key is `\(key)`")
                stored[try Self.holds(entry)] = entry
            default: break
            }
            actions[action.kind] = action
            return action
        }
        return nil
    }

    private func expect(_ expected: [JSON]) throws {
        for wanted in expected {
            let kind = wanted["action"].text ?? ""
            let found = try poll()
            try check(found?.kind ?? "none" == kind, "the action is \(found?.kind ?? "none"), expected `\(kind)`")
            guard let action = found else { continue }
            try within(kind, action.lasts(clocks.wall), wanted["for"])
            switch action {
            case let .store(_, _, entry, ttl, _):
                try within("the entry's life", Int64(ttl), wanted["ttl"])
                let holds = try Self.holds(entry)
                try check(wanted["holds"].text.map { $0 == holds } ?? true, "the entry holds a \(holds)")
            case let .lock(_, _, lease, _): try within("the lease", Int64(lease), wanted["lease"])
            case let .send(_, request, _) where !wanted["dated"].isNull:
                let date = request.headers.first { $0.name.lowercased() == "x-amz-date" }?.value ?? ""
                let seconds = Self.formatter("yyyyMMdd'T'HHmmss'Z'").date(from: date)?.timeIntervalSince1970 ?? 0
                try within("the date", (Int64(seconds) - service) * 1000, wanted["dated"])
            default: break
            }
        }
    }

    /// The plain way from an advice to drive up to the credentials, with this answer.
    private func renew(_ answer: JSON) throws {
        let advice = provider.ask(now: clocks).kind
        try check(advice.hasSuffix("drive"), "the advice is `\(advice)`")
        for (action, answers) in [("load_identity", "identity_loaded"), ("sign", "signed"), ("send", "answered")] {
            try expect([.object(["action": .text(action)])])
            try event(answers, action == "send" ? answer : .null)
        }
        if answer["status"].isNull { try expect(["use", "none"].map { .object(["action": .text($0)]) }) }
    }

    private func event(_ kind: String, _ step: JSON) throws {
        let now = clocks
        func id(_ action: String) -> UInt32 {
            let id = actions[action]?.id ?? 0
            return step["stale"].isTrue ? id &- 1 : id
        }
        func failure() throws -> Failure {
            Failure(kind: try Self.kind(step["error"].text ?? "transport_failed"), message: step["message"].text ?? "it failed")
        }
        switch kind {
        case "tick": provider.tick(now: now)
        case "cancelled": provider.cancelled(now: now)
        case "refresh": provider.refresh(now: now)
        case "forked": provider.forked(now: now, seed: 77)
        case "resumed": provider.resumed(now: now)
        case "lock_lost": provider.lockLost(now: now)
        case "identity_loaded":
            let chain = try CertificateChain.read(
                certificate: Self.file("\(step["certificate"].text ?? "leaf").pem"), intermediates: Data(),
                password: Data(), hasPassword: false
            )
            provider.identityLoaded(now: now, id: id("load_identity"), chain: chain)
        case "identity_failed":
            let modified = step["modified_ago"].number.map { now.wall - Int64($0) * 1000 }
            try provider.identityFailed(now: now, id: id("load_identity"), failure: failure(), modified: modified)
        case "signed":
            guard case let .sign(_, request, _) = actions["sign"] else { throw failed("nothing to sign") }
            try provider.signed(now: now, id: id("sign"), signature: Self.identity.get().sign(request: request))
        case "sign_failed": try provider.signFailed(now: now, id: id("sign"), failure: failure())
        case "answered":
            let (status, headers, body) = answer(step)
            provider.answered(now: now, id: id("send"), status: status, headers: headers, body: body)
        case "not_answered":
            let losses: [String: Loss] = [
                "unreachable": .unreachable, "timed_out": .timedOut, "untrusted": .untrusted, "unsendable": .unsendable,
            ]
            guard let loss = losses[step["loss"].text ?? ""] else { throw failed("the loss is not known") }
            try provider.notAnswered(now: now, id: id("send"), loss: loss, failure: failure())
        case "loaded":
            let entry = try entry(step["entry"])
            provider.loaded(now: now, id: id("load"), found: entry != nil, entry: entry ?? Data())
        case "unreadable": provider.unreadable(now: now, id: id("load"))
        case "locked": provider.locked(now: now, id: id("lock"))
        case "lock_held": provider.lockHeld(now: now, id: id("lock"))
        case "stored": provider.stored(now: now, id: id("store"))
        case "unlocked": provider.unlocked(now: now, id: id("unlock"))
        case "store_failed": try provider.storeFailed(now: now, id: id(step["of"].text ?? ""), failure: failure())
        default: throw failed("the event `\(kind)` is not known")
        }
    }

    // MARK: - What the service and the store say

    private func answer(_ step: JSON) -> (UInt16, [Header], Data) {
        let status = UInt16(step["status"].number ?? 201)
        var headers = [Header(name: "content-type", value: step["content_type"].text ?? "application/json")]
        if !step["date"].isFalse {
            let time = Date(timeIntervalSince1970: TimeInterval(service) + (step["date"].number ?? 0))
            let date = step["date"].text ?? Self.formatter("EEE, dd MMM yyyy HH:mm:ss 'GMT'").string(from: time)
            headers.append(Header(name: "date", value: date))
        }
        if let seconds = step["retry_after"].number { headers.append(Header(name: "retry-after", value: "\(Int(seconds))")) }
        if let body = step["body"].text { return (status, headers, Data(body.utf8)) }
        if status != 201 {
            headers.append(Header(name: "x-amzn-errortype", value: step["code"].text ?? "AccessDeniedException"))
            let more = step["retry_after_seconds"].number.map { ",\"retryAfterSeconds\":\(Int($0))" } ?? ""
            return (status, headers, Data("{\"message\":\"\(step["message"].text ?? "no")\"\(more)}".utf8))
        }
        let role = json["role"].text ?? Self.role
        let name = role.split(separator: "/").last ?? ""
        let assumed = step["assumed_role"].text ?? "arn:aws:sts::123456789012:assumed-role/\(name)/s"
        let end = step["expires_in"].text ?? iso(service + Int64(step["expires_in"].number ?? 3600))
        let roleARN = step["role_arn"].isFalse ? "" : ",\"roleArn\":\"\(step["role_arn"].text ?? role)\""
        let body = """
            {"credentialSet":[{"assumedRoleUser":{"arn":"\(assumed)"},"credentials":{
            "accessKeyId":"\(step["credentials"].text ?? "ASIA1")","secretAccessKey":"secret",
            "sessionToken":"secret-token","expiration":"\(end)"}\(roleARN)}]}
            """
        return (status, headers, Data(body.utf8))
    }

    /// An entry of the store: what this provider stored, or one that another would have stored.
    private func entry(_ entry: JSON) throws -> Data? {
        if entry.isNull { return nil }
        if let text = entry.text {
            switch text {
            case "stored": return stored["session"]
            case "stored failure": return stored["failure"]
            default: return Data(text.utf8)
            }
        }
        func time(_ name: String, _ otherwise: Int64) -> Int64 { service + (entry[name].number.map { Int64($0) } ?? otherwise) }
        var body: [String: Any] = ["version": Int(entry["version"].number ?? 2)]
        if let code = entry["failed"].text {
            body["code"] = code
            body["message"] = entry["message"].text ?? "no"
            body["failed_at"] = time("failed_in", 0)
            body["until"] = time("until_in", 30)
        } else {
            body["access_key_id"] = entry["credentials"].text ?? "ASIASHARED"
            body["secret_access_key"] = "secret"
            body["session_token"] = "secret-token"
            body["expiration"] = iso(time("expires_in", 3600))
            body["issued_at"] = time("issued_in", 0)
            body["role_arn"] = entry["role_arn"].text ?? Self.role
        }
        if let clock = entry["clock"].object {
            let ago = Int64(clock["ago"]?.number ?? 0) * 1000
            body["clock"] = [
                "machine": clock["machine"]?.text ?? "", "offset_seconds": Int64(clock["offset"]?.number ?? 0),
                "wall_milliseconds": clocks.wall - ago + Int64(clock["wall_was_off_by"]?.number ?? 0) * 1000,
                "monotonic_milliseconds": Int64(clocks.monotonic ?? 0) - ago,
            ] as [String: Any]
        }
        return try JSONSerialization.data(withJSONObject: body)
    }

    // MARK: - Small things

    private static func holds(_ entry: Data) throws -> String {
        try JSONDecoder().decode(JSON.self, from: entry)["failed_at"].isNull ? "session" : "failure"
    }

    private static func kind(_ code: String) throws -> FailureKind {
        guard let kind = kindsOfFailure().first(where: { $0.code == code }) else { throw Failed("no error is `\(code)`") }
        return kind.kind
    }

    private static func file(_ name: String) throws -> Data {
        try Data(contentsOf: ScenarioTests.folder.appendingPathComponent("certificates/\(name)"))
    }

    private static func formatter(_ format: String) -> DateFormatter {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = format
        return formatter
    }

    private func iso(_ seconds: Int64) -> String {
        Self.formatter("yyyy-MM-dd'T'HH:mm:ss'Z'").string(from: Date(timeIntervalSince1970: TimeInterval(seconds)))
    }
}

extension Advice {
    fileprivate var kind: String {
        switch self {
        case .use: "use"
        case .useAndDrive: "use_and_drive"
        case .drive: "drive"
        case .wait: "wait"
        case .fail: "fail"
        }
    }
}

extension Action {
    fileprivate var kind: String {
        switch self {
        case .loadIdentity: "load_identity"
        case .sign: "sign"
        case .send: "send"
        case .load: "load"
        case .lock: "lock"
        case .store: "store"
        case .unlock: "unlock"
        case .pause: "pause"
        case .use: "use"
        case .fail: "fail"
        case .note: "note"
        case .unknown: "unknown"
        }
    }

    fileprivate var id: UInt32? {
        switch self {
        case let .loadIdentity(id, _), let .sign(id, _, _), let .send(id, _, _), let .load(id, _, _),
            let .lock(id, _, _, _), let .store(id, _, _, _, _), let .unlock(id, _, _):
            id
        default: nil
        }
    }

    /// How long it may take or is to last, in milliseconds.
    fileprivate func lasts(_ now: Int64) -> Int64 {
        switch self {
        case let .loadIdentity(_, timeout), let .sign(_, _, timeout), let .send(_, _, timeout), let .load(_, _, timeout),
            let .lock(_, _, _, timeout), let .store(_, _, _, _, timeout), let .unlock(_, _, timeout), let .pause(timeout):
            Int64(timeout)
        case let .use(window): window.until - now
        case let .fail(againAfter): Int64(againAfter)
        case .note, .unknown: 0
        }
    }
}
