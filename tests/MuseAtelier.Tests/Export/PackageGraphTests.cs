using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using MuseAtelier.Export;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;
using MuseAtelier.Tests.Checkpoints;
using MuseAtelier.Tests.Support;

namespace MuseAtelier.Tests.Export;

/// <summary>The rules of the ONNX checker, and that ONNX Runtime loads the graphs.</summary>
public sealed class PackageGraphTests : IDisposable
{
    private readonly TestAtelier _miniature;
    private readonly TemporaryFolder _folder = new();

    public PackageGraphTests(TestAtelier miniature)
    {
        _miniature = miniature;
        CheckpointExporter.Export(
            TestAtelier.Checkpoint, _folder["cuda"], new ExportOptions { Lowering = Lowering.Cuda },
            cancellationToken: TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Graphs_OfBothLowerings_StateTheDocumentedVersions()
    {
        foreach ((string path, ModelProto model) in Graphs())
        {
            Assert.True(model.IrVersion == 9 && GraphBuilder.IrVersion == 9, path);
            Assert.Equal(20, Assert.Single(model.OpsetImport, import => import.Domain.Length == 0).Version);
            IEnumerable<string> domains = model.Graph.Node.Select(node => node.Domain).Distinct().Where(domain => domain.Length > 0);
            Assert.All(domains, domain => Assert.Contains(domain, model.OpsetImport.Select(import => import.Domain)));
        }
    }

    [Fact]
    public void Graphs_OfBothLowerings_AssignEachNameOnceAndBeforeItsUse()
    {
        foreach ((string path, ModelProto model) in Graphs())
        {
            GraphProto graph = model.Graph;
            var known = new HashSet<string>(
                graph.Input.Select(input => input.Name).Concat(graph.Initializer.Select(tensor => tensor.Name)));
            Assert.Equal(known.Count, graph.Input.Count + graph.Initializer.Count);
            foreach (NodeProto node in graph.Node)
            {
                Assert.All(node.Input.Where(name => name.Length > 0), name =>
                    Assert.True(known.Contains(name), $"{path}: {node.Name} reads {name} before it is there"));
                Assert.All(node.Output.Where(name => name.Length > 0), name =>
                    Assert.True(known.Add(name), $"{path}: {name} is assigned twice"));
            }

            Assert.All(graph.Output, output => Assert.Contains(output.Name, known));
            Assert.Equal(graph.Node.Count, graph.Node.Select(node => node.Name).Distinct().Count());
        }
    }

    [Fact]
    public void Graphs_OfBothLowerings_KeepConstantsWithinTheirFiles()
    {
        int found = 0;
        foreach ((string path, ModelProto model) in Graphs())
        {
            const TensorProto.Types.DataLocation external = TensorProto.Types.DataLocation.External;
            foreach (TensorProto tensor in model.Graph.Initializer.Where(tensor => tensor.DataLocation == external))
            {
                Dictionary<string, string> place = tensor.ExternalData.ToDictionary(entry => entry.Key, entry => entry.Value);
                long offset = long.Parse(place["offset"], CultureInfo.InvariantCulture);
                long length = long.Parse(place["length"], CultureInfo.InvariantCulture);
                // ONNX Runtime refuses a path that leads out of the folder.
                Assert.Equal(Path.GetFileName(place["location"]), place["location"]);
                var file = new FileInfo(Path.Combine(Path.GetDirectoryName(path)!, place["location"]));
                Assert.InRange(offset + length, length, file.Length);
                Assert.Equal(tensor.Dims.Aggregate(1L, (product, size) => product * size) * (tensor.DataType == 10 ? 2 : 4), length);
                found++;
            }
        }

        Assert.NotEqual(0, found);
    }

    [Fact]
    public void Graphs_OfTheCpusLowering_AllLoadInTheRuntimeWithTheirStagesNames()
    {
        PackageManifest manifest = PackageManifest.Read(_miniature.Atelier.Model.Package);
        IEnumerable<StageSpec> all = manifest.Components.SelectMany(component => component.Stages);
        foreach (IGrouping<string, StageSpec> stages in all.GroupBy(stage => stage.Graph))
        {
            using var session = new InferenceSession(Path.Combine(_miniature.Atelier.Model.Package, stages.Key));
            foreach (StageSpec stage in stages)
            {
                IEnumerable<string> inputs =
                    stage.Inputs.Select(input => input.Graph).Concat(stage.Weights.Select(weight => weight.Graph));
                Assert.Equal(session.InputNames.Order(StringComparer.Ordinal), inputs.Order(StringComparer.Ordinal));
                Assert.Equal(
                    session.OutputNames.Order(StringComparer.Ordinal),
                    stage.Outputs.Select(output => output.Graph).Order(StringComparer.Ordinal));
            }
        }
    }

    [Fact]
    public void Manifest_OfBothLowerings_NamesEveryFileAndPlacesWeightsAligned()
    {
        foreach (string package in (string[])[_miniature.Atelier.Model.Package, _folder["cuda"]])
        {
            PackageManifest manifest = PackageManifest.Read(package);
            Assert.Equal(
                Directory.GetFiles(package, "*", SearchOption.AllDirectories)
                    .Select(path => Path.GetRelativePath(package, path).Replace('\\', '/')).Where(name => name != PackageManifest.FileName)
                    .Order(StringComparer.Ordinal),
                manifest.Files.Select(file => file.Name).Order(StringComparer.Ordinal));
            IEnumerable<WeightSpec> weights =
                manifest.Components.SelectMany(component => component.Stages).SelectMany(stage => stage.Weights);
            foreach (IGrouping<string, WeightSpec> file in weights.GroupBy(weight => weight.File))
            {
                long end = 0;
                foreach (WeightSpec weight in file)
                {
                    Assert.Equal(0, weight.Offset % 256);
                    Assert.True(weight.Offset >= end, $"{weight.Source} overlaps the weight before it");
                    end = weight.Offset + weight.Bytes;
                }

                Assert.Equal(end, new FileInfo(Path.Combine(package, file.Key)).Length);
            }
        }
    }

    // The manifest of SDXL at full size must stay far below the largest that is read, 16 MiB.
    [Fact]
    public void Manifest_OfSdxlAtFullSize_IsSmall()
    {
        PackageManifest manifest = PackageManifest.Read(_folder["cuda"]) with { Components = FullSizeModel.Cuda.Components };
        manifest.Write(_folder[""]);
        long bytes = new FileInfo(_folder[PackageManifest.FileName]).Length;
        Assert.InRange(bytes, 1 << 20, 8 << 20);
        TestContext.Current.SendDiagnosticMessage("The manifest of SDXL has {0:N0} bytes.", bytes);
    }

    // Controls add to the outputs of the input blocks, which output blocks read in later stages.
    [Fact]
    public void Skips_OfTheUNet_CrossBordersUnderTheNamesOfTheirBlocks()
    {
        foreach (ModelSizes model in (ModelSizes[])[FullSizeModel.Cuda, FullSizeModel.Portable])
        {
            ComponentSpec unet = model.Components.First(component => component.Name == ComponentNames.UNet);
            IEnumerable<string> made = unet.Stages.SelectMany(stage => stage.Outputs).Select(output => output.Tensor);
            Assert.Equal(
                Enumerable.Range(0, 9).Select(block => string.Create(CultureInfo.InvariantCulture, $"input_blocks.{block}")),
                made.Where(tensor => tensor.StartsWith("input_blocks.", StringComparison.Ordinal)));
        }
    }

    private IEnumerable<(string Path, ModelProto Model)> Graphs() =>
        ((string[])[_miniature.Atelier.Model.Package, _folder["cuda"]])
            .SelectMany(package => Directory.GetFiles(package, "*.onnx", SearchOption.AllDirectories))
            .Select(path => (path, ModelProto.Parser.ParseFrom(File.ReadAllBytes(path))));
}
