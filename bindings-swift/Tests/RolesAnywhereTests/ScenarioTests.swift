import Foundation
import Testing

/// The scenarios of `tests/vectors/lifecycle`, played against the core's provider as Swift has it.
@Suite("The scenarios of the lifecycle")
struct ScenarioTests {
    static let folder = Emulator.vectors.appendingPathComponent("lifecycle")
    static let names = try! FileManager.default // swiftlint:disable:this force_try - a test's argument
        .contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }.sorted()

    @Test(arguments: names)
    func scenario(_ name: String) throws {
        let json = try JSONDecoder().decode(JSON.self, from: Data(contentsOf: Self.folder.appendingPathComponent(name)))
        // Jitter must not decide.
        for seed: UInt64 in [0, 1, 0xfeed_beef, .max] { try Scenario(json, seed: seed).play() }
    }

    @Test func thereAreScenarios() {
        #expect(Self.names.count >= 80)
    }
}
