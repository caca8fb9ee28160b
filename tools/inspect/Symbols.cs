using System.Reflection.Metadata;
using System.Text;

namespace MuseAtelier.Tools.Inspect;

/// <summary>Checks that a library's symbols lie beside its package, name no folder of the machine, and lead to the sources.</summary>
internal static class Symbols
{
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    public static void Check(PackageFile package, string symbols, string file, Faults faults)
    {
        if (!File.Exists(symbols))
        {
            faults.Add(package.Id, "has no symbols");
            return;
        }

        var bytes = new MemoryStream(PackageFile.Read(symbols, file));
        using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(bytes);
        MetadataReader reader = provider.GetMetadataReader();
        string? foreign = reader.Documents
            .Select(handle => reader.GetString(reader.GetDocument(handle).Name))
            .FirstOrDefault(name => !name.StartsWith("/_/", StringComparison.Ordinal) && Path.IsPathRooted(name));
        faults.Require(foreign is null, package, $"has symbols that name a file of this machine: {foreign}");

        // A clone without a remote has no address of its sources.
        string address = package.Attribute("repository", "url");
        if (address.Length == 0) return;
        string? link = SourceLinkOf(reader);
        faults.Require(link is not null, package, $"has no source link, although its sources lie at {address}");
        faults.Require(
            link is null || link.Contains(package.Attribute("repository", "commit"), StringComparison.Ordinal),
            package,
            "has a source link that does not name its commit");
    }

    private static string? SourceLinkOf(MetadataReader reader)
    {
        foreach (CustomDebugInformationHandle handle in reader.GetCustomDebugInformation(EntityHandle.ModuleDefinition))
        {
            CustomDebugInformation information = reader.GetCustomDebugInformation(handle);
            if (reader.GetGuid(information.Kind) == SourceLink) return Encoding.UTF8.GetString(reader.GetBlobBytes(information.Value));
        }

        return null;
    }
}
