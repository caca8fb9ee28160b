using MuseAtelier;
using MuseAtelier.Cpu;
using MuseAtelier.Pictures;

var options = new AtelierOptions { Backend = CpuBackend.Create() };
await using Atelier atelier = await Atelier.OpenAsync(args[0], options);
var request = new PictureRequest { Prompt = "a starry night over a quiet city, oil painting", Width = 512, Height = 512, Seed = 42 };
using Picture picture = await atelier.GenerateAsync(request);
WrittenPicture file = PictureFile.Write(picture, "starry-night.png");
Console.WriteLine($"{file.Path}: {picture.Width}x{picture.Height} px, seed {request.Seed}");
