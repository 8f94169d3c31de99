// swift-tools-version: 6.0
// The AWS SDK for Swift, in a package of its own, so that nobody else fetches it.
import PackageDescription

let package = Package(
    name: "rolesanywhere-aws-sdk",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [.library(name: "RolesAnywhereAWSSDK", targets: ["RolesAnywhereAWSSDK"])],
    dependencies: [
        .package(name: "rolesanywhere-swift", path: "../.."),
        // The SDK's release picks the version; the SDK itself, 2.7 GB, is not needed here.
        .package(url: "https://github.com/smithy-lang/smithy-swift", "0.100.0"..<"2.0.0"),
    ],
    targets: [
        .target(
            name: "RolesAnywhereAWSSDK",
            dependencies: [
                .product(name: "RolesAnywhere", package: "rolesanywhere-swift"),
                .product(name: "Smithy", package: "smithy-swift"),
                .product(name: "SmithyIdentity", package: "smithy-swift"),
            ]
        )
    ]
)
