// swift-tools-version: 6.0
// Soto, in a package of its own, so that nobody else fetches it.
import PackageDescription

let package = Package(
    name: "rolesanywhere-soto",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [.library(name: "RolesAnywhereSoto", targets: ["RolesAnywhereSoto"])],
    dependencies: [
        .package(name: "rolesanywhere-swift", path: "../.."),
        .package(url: "https://github.com/soto-project/soto-core", from: "7.0.0"),
    ],
    targets: [
        .target(
            name: "RolesAnywhereSoto",
            dependencies: [
                .product(name: "RolesAnywhere", package: "rolesanywhere-swift"),
                .product(name: "SotoCore", package: "soto-core"),
            ]
        )
    ]
)
