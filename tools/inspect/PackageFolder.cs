using System.Globalization;

namespace MuseAtelier.Tools.Inspect;

/// <summary>Inspects all packages of a version in a folder.</summary>
internal static class PackageFolder
{
    private static readonly string[] Libraries =
    [
        "MuseAtelier", "MuseAtelier.Cpu", "MuseAtelier.Cuda", "MuseAtelier.Export", "MuseAtelier.Extensions.AI", "MuseAtelier.Format",
        "MuseAtelier.Hosting", "MuseAtelier.Pictures", "MuseAtelier.Pictures.Avif",
    ];

    /// <summary>Prints a line for each package and each fault.</summary>
    /// <returns>0, or 1 if there is a fault.</returns>
    public static int Inspect(string folder, string version)
    {
        var faults = new Faults();
        string[] expected = [.. Libraries, .. ToolPackageRules.Ids];
        IEnumerable<string> files = Directory.EnumerateFiles(folder, $"*.{version}.nupkg");
        string[] found = [.. files.Select(file => IdOf(file, version)).Order(StringComparer.Ordinal)];
        foreach (string id in expected.Except(found)) faults.Add(id, "was not packed");
        foreach (string id in found.Except(expected)) faults.Add(id, "is packed, and should not be");

        List<PackageFile> packages = [.. found.Intersect(expected).Select(id => new PackageFile(folder, id, version))];
        Dictionary<string, PackageFile> libraries =
            packages.Where(package => Libraries.Contains(package.Id)).ToDictionary(package => package.Id);
        foreach (PackageFile package in packages)
        {
            CommonRules.Check(package, faults);
            if (Libraries.Contains(package.Id)) LibraryPackageRules.Check(package, libraries, folder, faults);
            else ToolPackageRules.Check(package, faults);
            string dependencies = string.Join(", ", package.Dependencies.Select(dependency => $"{dependency.Key} {dependency.Value}"));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{package.Bytes / 1e6,8:F2} MB  {package.Id}  {dependencies}"));
        }

        foreach (string fault in faults.Found) Console.WriteLine($"fault: {fault}");
        return faults.Found.Count == 0 ? 0 : 1;
    }

    private static string IdOf(string file, string version) => Path.GetFileName(file)[..^$".{version}.nupkg".Length];
}
