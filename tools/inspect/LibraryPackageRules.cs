using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace MuseAtelier.Tools.Inspect;

/// <summary>What the package of a library holds, and on which versions of the others it depends.</summary>
internal static class LibraryPackageRules
{
    private const string InternalsVisibleTo = "InternalsVisibleToAttribute";

    // What single packages hold besides.
    private static readonly Dictionary<string, string[]> OwnFiles = new()
    {
        ["MuseAtelier"] = ["buildTransitive/MuseAtelier.targets", "THIRD-PARTY-NOTICES.txt"],
        ["MuseAtelier.Cuda"] = ["buildTransitive/MuseAtelier.Cuda.targets"],
        ["MuseAtelier.Pictures"] = ["buildTransitive/MuseAtelier.Pictures.targets"],
    };

    // A package of this kind is nothing without that dependency.
    private static readonly Dictionary<string, string> Runtimes = new()
    {
        ["MuseAtelier.Cpu"] = "Microsoft.ML.OnnxRuntime",
        ["MuseAtelier.Cuda"] = "Microsoft.ML.OnnxRuntime.Gpu",
        ["MuseAtelier.Pictures.Avif"] = "NetVips.Native",
    };

    public static void Check(PackageFile package, Dictionary<string, PackageFile> libraries, string folder, Faults faults)
    {
        string library = $"lib/net10.0/{package.Id}";
        string[] expected = [.. CommonRules.Files, .. OwnFiles.GetValueOrDefault(package.Id, []), $"{library}.dll", $"{library}.xml"];
        foreach (string file in expected.Except(package.Files.Keys)) faults.Add(package.Id, $"does not hold {file}");
        foreach (string file in package.Files.Keys.Except(expected)) faults.Add(package.Id, $"holds {file}, which nothing needs");
        CheckDependencies(package, libraries, faults);
        Symbols.Check(package, Path.Combine(folder, $"{package.Id}.{package.Version}.snupkg"), $"{library}.pdb", faults);
    }

    private static void CheckDependencies(PackageFile package, Dictionary<string, PackageFile> libraries, Faults faults)
    {
        if (Runtimes.TryGetValue(package.Id, out string? runtime))
            faults.Require(package.Dependencies.ContainsKey(runtime), package, $"does not depend on {runtime}");
        foreach ((string id, PackageFile other) in libraries)
        {
            bool exact = FriendsOf(other).Contains(package.Id);
            if (!package.Dependencies.TryGetValue(id, out string? range))
            {
                bool chained = !exact || id == package.Id || LeadsExactlyTo(id, package, libraries);
                faults.Require(chained, package, $"uses internals of {id} and does not depend on exactly its version");
                continue;
            }

            string expected = exact ? $"[{package.Version}]" : package.Version;
            faults.Require(range == expected, package, $"depends on {id} {range} instead of {expected}");
        }
    }

    // A package that is reached over others has exactly the version if each of them depends on exactly the next.
    private static bool LeadsExactlyTo(string id, PackageFile package, Dictionary<string, PackageFile> libraries) =>
        package.Dependencies.Any(dependency =>
            dependency.Value.StartsWith('[')
            && libraries.TryGetValue(dependency.Key, out PackageFile? next)
            && (next.Id == id || LeadsExactlyTo(id, next, libraries)));

    // Read from the assembly, not from the project that the exact versions were computed from.
    private static List<string> FriendsOf(PackageFile package)
    {
        if (!package.Files.ContainsKey($"lib/net10.0/{package.Id}.dll")) return [];
        using var assembly = new PEReader(ImmutableArray.Create(package.Read($"lib/net10.0/{package.Id}.dll")));
        MetadataReader reader = assembly.GetMetadataReader();
        var friends = new List<string>();
        foreach (CustomAttributeHandle handle in reader.GetAssemblyDefinition().GetCustomAttributes())
        {
            CustomAttribute attribute = reader.GetCustomAttribute(handle);
            if (attribute.Constructor.Kind != HandleKind.MemberReference) continue;
            EntityHandle type = reader.GetMemberReference((MemberReferenceHandle)attribute.Constructor).Parent;
            if (type.Kind != HandleKind.TypeReference) continue;
            if (!reader.StringComparer.Equals(reader.GetTypeReference((TypeReferenceHandle)type).Name, InternalsVisibleTo)) continue;
            BlobReader value = reader.GetBlobReader(attribute.Value);
            value.ReadUInt16(); // The prolog of every attribute's value.
            friends.Add(value.ReadSerializedString()!.Split(',')[0]);
        }

        return friends;
    }
}
