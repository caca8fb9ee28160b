using System.Buffers.Binary;
using System.Text;

namespace MuseAtelier.Tools.Inspect;

/// <summary>What every package says and holds.</summary>
internal static class CommonRules
{
    /// <summary>The files that every package holds.</summary>
    public static readonly string[] Files = ["LICENSE", "NOTICE", "README.md", "icon.png"];

    public static void Check(PackageFile package, Faults faults)
    {
        faults.Require(package.Text("version") == package.Version, package, $"says that it is version {package.Text("version")}");
        faults.Require(package.Text("license") == "Apache-2.0", package, "does not name its licence, Apache-2.0");
        faults.Require(package.Attribute("license", "type") == "expression", package, "names its licence otherwise than by an expression");
        foreach (string element in (string[])["title", "description", "tags", "authors", "copyright", "releaseNotes"])
            faults.Require(package.Text(element).Length > 0, package, $"has no {element}");
        string notes = package.Text("releaseNotes");
        faults.Require(notes.Contains("CHANGELOG.md", StringComparison.Ordinal), package, "does not point to CHANGELOG.md");
        faults.Require(package.Text("icon") == "icon.png", package, "has no icon");
        faults.Require(package.Text("readme") == "README.md", package, "has no README");
        foreach (string file in Files) faults.Require(package.Files.GetValueOrDefault(file) > 0, package, $"does not hold {file}");
        if (package.Files.ContainsKey("icon.png"))
            faults.Require(IsSquare(package.Read("icon.png"), 128), package, "has an icon that is not 128x128 px");
        if (package.Files.ContainsKey("README.md"))
        {
            string readme = Encoding.UTF8.GetString(package.Read("README.md"));
            faults.Require(readme.StartsWith($"# {Heading(package.Id)}\n", StringComparison.Ordinal), package, "has the README of another");
        }
    }

    private static string Heading(string id) => id.StartsWith(ToolPackageRules.Id, StringComparison.Ordinal) ? ToolPackageRules.Id : id;

    // The header chunk of a PNG file: width and height at bytes 16 and 20.
    private static bool IsSquare(byte[] png, int size) =>
        png.Length > 24
        && BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)) == size
        && BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20)) == size;
}
