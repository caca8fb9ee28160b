using System.Buffers.Binary;
using System.Text;
using MuseAtelier.Export.Checkpoints;
using MuseAtelier.Format;

namespace MuseAtelier.Tests.Checkpoints;

/// <summary>A folder for one test, and the files that tests of checkpoints put into it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muse-").FullName;

    public string this[string name] => Path.Combine(_folder, name);

    /// <summary>The root of the repository that this test runs in.</summary>
    public static string Repository
    {
        get
        {
            string folder = AppContext.BaseDirectory;
            while (!File.Exists(Path.Combine(folder, "MuseAtelier.sln")))
                folder = Path.GetDirectoryName(folder)
                    ?? throw new DirectoryNotFoundException("No folder above the test holds MuseAtelier.sln.");
            return folder;
        }
    }

    public string Write(string name, byte[] content)
    {
        File.WriteAllBytes(this[name], content);
        return this[name];
    }

    /// <summary>A file of a header as given and so many bytes of data.</summary>
    public string WriteRaw(string header, int dataBytes = 0, long? statedLength = null)
    {
        byte[] json = Encoding.UTF8.GetBytes(header);
        byte[] content = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(content, statedLength ?? json.Length);
        json.CopyTo(content, 8);
        return Write("raw.safetensors", content);
    }

    /// <summary>A file of tensors by name and shape, filled with zeros.</summary>
    public string WriteTensors(IEnumerable<(string Name, long[] Shape)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        string path = this["tensors.safetensors"];
        SafetensorsDeclaration[] declarations =
            [.. tensors.Select(tensor => new SafetensorsDeclaration(tensor.Name, ElementType.F16, tensor.Shape))];
        using SafetensorsWriter writer = SafetensorsWriter.Create(path, declarations, metadata);
        foreach (SafetensorsDeclaration tensor in declarations) writer.Write(new byte[tensor.Bytes]);
        writer.Complete();
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
