// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "who-am-i",
    platforms: [.macOS(.v13)],
    dependencies: [.package(name: "rolesanywhere-swift", path: "../..")],
    targets: [
        .executableTarget(
            name: "WhoAmI", dependencies: [.product(name: "RolesAnywhere", package: "rolesanywhere-swift")]
        )
    ]
)
